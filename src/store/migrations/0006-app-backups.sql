-- Where and when the app's own database is backed up. A release reads this table before it changes the schema: columns
-- are only ever added to it.
create table app_backup_registrations (
  id text primary key,
  name text not null unique,
  -- A kind of volume, with the settings of its schema, every secret sealed; or a volume of the catalogue.
  kind text,
  settings {json},
  volume_id text references volumes (id),
  -- [shared/schedules.ts]
  schedules {json} not null,
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- The environment says what it is: it is changed there.
  is_managed {integer} not null check (is_managed in (0, 1)),
  -- Since when its schedules are as they are: nothing until then is due.
  scheduled_since {integer} not null,
  -- A registration that was deleted stays as a name for its backups, and so that the first one does not come back.
  deleted_at {integer},
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  check ((volume_id is null) = (kind is not null and settings is not null))
) {strict};

-- The app backups that were made, as far as they have not been removed again: it is known from here what lies where.
create table app_backups (
  id text primary key,
  registration_id text not null references app_backup_registrations (id),
  -- 2026-11-22T03-00-00Z/db_v12.db
  key text not null,
  -- Where, without secrets.
  location text not null,
  -- The same for programs: two that are equal are the same place, see app/volumes/place.ts.
  place text not null,
  -- manual, first, or the type of the schedule.
  cause text not null,
  schema_version {integer} not null,
  state text not null check (state in ('running', 'succeeded', 'failed')),
  -- Whether something of it may lie there: then that is removed before the row is.
  is_stored {integer} not null check (is_stored in (0, 1)),
  -- Who makes it, while it is made: see lib/identity.ts.
  maker text not null,
  bytes {integer},
  sha256 text,
  error {json},
  started_at {integer} not null,
  finished_at {integer}
) {strict};

create index app_backups_of on app_backups (registration_id, started_at desc);
create index app_backups_by_time on app_backups (started_at desc);
create unique index app_backups_one_per_key on app_backups (place, key);
