-- What runs around backups and restores: of one plan, or of all of the organization.
create table hooks (
  id text primary key,
  organization_id text not null references organizations (id),
  -- Null: around every job of the organization.
  plan_id text references plans (id) on delete cascade,
  name text not null,
  -- Around what: backup or restore.
  around text not null check (around in ('backup', 'restore')),
  -- before; or after it, if it succeeded, failed, or in either case.
  moment text not null check (moment in ('before', 'after-success', 'after-failure', 'after')),
  -- script, http or sql, with the settings of its schema, every secret sealed.
  kind text not null,
  settings {json} not null,
  on_failure text not null check (on_failure in ('ignore', 'warn', 'fail', 'skip')),
  timeout_seconds {integer} not null check (timeout_seconds > 0),
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- They run in this order, then by name.
  position {integer} not null,
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

create index hooks_of on hooks (organization_id, around, plan_id);

-- How a running job will end, whatever becomes of its runner: what it was for is done, and recorded with its result, while
-- hooks still run.
alter table jobs add column recorded_state text check (recorded_state in ('succeeded', 'partial'));
