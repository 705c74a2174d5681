-- What instance administrators change while the app runs, for all organizations. There is one row, or none yet.
create table instance_settings (
  id text primary key check (id = 'instance'),
  -- shared/instance-settings.ts, with every secret sealed.
  content {json} not null,
  revision {integer} not null,
  updated_at {integer} not null
) {strict};
