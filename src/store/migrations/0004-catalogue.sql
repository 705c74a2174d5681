-- A place where snapshots are kept. The settings are those of its kind's schema, with every secret sealed.
create table volumes (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  kind text not null,
  settings {json} not null,
  -- How many jobs may use it at once.
  max_running {integer} not null check (max_running > 0),
  -- Bytes; null: no limit.
  quota {integer},
  -- What happens when the quota is reached.
  quota_action text not null check (quota_action in ('warn', 'refuse')),
  -- Bytes per second; null: no limit.
  bandwidth {integer},
  -- For imports: nothing is written to it.
  is_read_only {integer} not null check (is_read_only in (0, 1)),
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

-- What backups are encrypted with, besides the instance key, which the environment holds.
create table encryption_keys (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  -- 7z with a password, age with recipients, age with a passphrase.
  kind text not null check (kind in ('password', 'recipients', 'passphrase')),
  state text not null check (state in ('active', 'retired')),
  -- {"password": sealed} or {"recipients": [...]}
  material {json} not null,
  -- As in manifests; null for a passphrase.
  fingerprint text,
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

-- When plans run.
create table schedules (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  -- shared/schedules.ts
  rule {json} not null,
  -- How late a run that was missed may still be caught up.
  catch_up_hours {integer} not null,
  -- Nothing fires before this moment; null: never by itself.
  next_at {integer},
  -- The time that was fired last, or the moment it came to be; missed ones before it are not caught up.
  since {integer} not null,
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

create index schedules_due on schedules (next_at) where next_at is not null;

-- Each due time happens once, whoever sees it first.
create table firings (
  -- A schedule, or what the app does by itself: `clean-up:<organization>`.
  schedule text not null,
  fire_at {integer} not null,
  fired_at {integer} not null,
  primary key (schedule, fire_at)
) {strict};

create index firings_at on firings (fire_at);

-- Which databases of a server are backed up, in which form, and how long they are kept.
create table plans (
  id text primary key,
  organization_id text not null references organizations (id),
  server_id text not null references servers (id),
  name text not null,
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- shared/plans.ts
  settings {json} not null,
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (server_id, name)
) {strict};

create index plans_of_organization on plans (organization_id, name, id);

create table plan_schedules (
  plan_id text not null references plans (id) on delete cascade,
  schedule_id text not null references schedules (id),
  primary key (plan_id, schedule_id)
) {strict};

create index plan_schedules_of on plan_schedules (schedule_id);

create table plan_volumes (
  plan_id text not null references plans (id) on delete cascade,
  volume_id text not null references volumes (id),
  -- In the order in which they were given.
  position {integer} not null,
  -- A policy of its own; null: the plan's.
  retention {json},
  primary key (plan_id, volume_id)
) {strict};

create index plan_volumes_of on plan_volumes (volume_id);

-- What is known of each database of a plan: how it fares, and how large it was.
create table plan_databases (
  plan_id text not null references plans (id) on delete cascade,
  database text not null,
  -- When the plan first asked for it.
  first_seen_at {integer} not null,
  -- When the plan last asked for it.
  last_seen_at {integer} not null,
  last_success_at {integer},
  last_snapshot_id text,
  last_raw_bytes {integer},
  last_stored_bytes {integer},
  last_failure_at {integer},
  last_failed_job_id text,
  last_error {json},
  primary key (plan_id, database)
) {strict};

-- One database as it was at one moment. Rows are added when it is complete, and never say more than was proven.
create table snapshots (
  id text primary key,
  organization_id text not null references organizations (id),
  -- Null when the server was forgotten; its name stays.
  server_id text references servers (id) on delete set null,
  server_name text not null,
  engine text not null,
  database text not null,
  -- Null: of no plan (any more).
  plan_id text references plans (id) on delete set null,
  plan_name text,
  job_id text,
  taken_at {integer} not null,
  finished_at {integer} not null,
  -- The dump's format.
  format text not null,
  raw_bytes {integer} not null,
  stored_bytes {integer} not null,
  sha256 text not null,
  -- Null: not encrypted.
  key_id text,
  key_fingerprint text,
  cause text not null,
  release_version text,
  comment text,
  -- Retention leaves it alone: until then, or, if is_locked, until somebody unlocks it.
  is_locked {integer} not null check (is_locked in (0, 1)),
  locked_until {integer},
  -- Its last drill passed at.
  proven_at {integer},
  -- Something was left out on purpose.
  is_partial {integer} not null check (is_partial in (0, 1)),
  -- It is of another program, and has no manifest of ours.
  is_foreign {integer} not null check (is_foreign in (0, 1)),
  revision {integer} not null,
  manifest {json} not null
) {strict};

create index snapshots_by_time on snapshots (organization_id, taken_at desc, id desc);
create index snapshots_of_server on snapshots (server_id, database, taken_at desc, id desc);
create index snapshots_of_plan on snapshots (plan_id, database, taken_at desc, id desc);
create index snapshots_of_database on snapshots (organization_id, database, taken_at desc, id desc);
create index snapshots_of_key on snapshots (key_id) where key_id is not null;
create index snapshots_of_job on snapshots (job_id) where job_id is not null;
-- For lists: each filter finds its snapshots in the order in which they are shown.
create index snapshots_by_server on snapshots (organization_id, server_id, taken_at desc, id desc);
create index snapshots_by_plan on snapshots (organization_id, plan_id, taken_at desc, id desc);
create index snapshots_by_engine on snapshots (organization_id, engine, taken_at desc, id desc);
create index snapshots_by_size on snapshots (organization_id, stored_bytes desc, id desc);
create index snapshots_locked on snapshots (organization_id, taken_at desc, id desc)
  where (is_locked = 1 or locked_until is not null);
create index snapshots_proven on snapshots (organization_id, taken_at desc, id desc) where proven_at is not null;
-- Whoever deletes a snapshot asks which jobs read it.
create index jobs_of_snapshot on jobs (snapshot_id) where snapshot_id is not null;

-- A snapshot's object on one volume.
create table copies (
  snapshot_id text not null references snapshots (id) on delete cascade,
  volume_id text not null references volumes (id),
  key text not null,
  -- stored: the volume has confirmed exactly its bytes. failed: it was wanted there, and is not yet. missing, corrupt:
  -- found so later. delete_pending: it is to go, and the volume has not let it go yet.
  state text not null check (state in ('stored', 'failed', 'missing', 'corrupt', 'delete_pending')),
  bytes {integer} not null,
  -- Why it is not stored, or not deleted.
  error {json},
  -- When it was last seen to be there, and when all its bytes were last read and compared.
  checked_at {integer},
  content_checked_at {integer},
  created_at {integer} not null,
  updated_at {integer} not null,
  primary key (snapshot_id, volume_id)
) {strict};

-- With all that is summed up, so that no row is read for it.
create index copies_on_volume on copies (volume_id, state, bytes);
create index copies_unread on copies (volume_id, content_checked_at, snapshot_id) where state = 'stored';
create unique index copies_key on copies (volume_id, key);
create index copies_pending on copies (state, volume_id, snapshot_id) where state <> 'stored';

-- A restore that repeats.
create table scheduled_restores (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  source_server_id text not null references servers (id),
  source_database text not null,
  target_server_id text not null references servers (id),
  schedule_id text references schedules (id),
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- shared/scheduled-restores.ts
  settings {json} not null,
  last_job_id text,
  last_snapshot_id text,
  last_skipped_at {integer},
  last_skip_reason text,
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

-- What people change while the app runs, with the defaults of shared/settings.ts.
create table settings (
  organization_id text primary key references organizations (id),
  content {json} not null,
  revision {integer} not null,
  updated_at {integer} not null
) {strict};

-- Answers to requests that may be sent again.
create table idempotency_keys (
  token_id text not null,
  key text not null,
  -- Sealed: the SHA-256 of method, address and body.
  request text not null,
  -- What it has started, and may be waiting for.
  job_id text,
  -- Null while the first one is being answered.
  status {integer},
  headers {json},
  body text,
  created_at {integer} not null,
  primary key (token_id, key)
) {strict};

create index idempotency_keys_age on idempotency_keys (created_at);

-- Which APP_KEY seals the secrets: each node compares its own with it. There is one row.
create table app_key (
  id {integer} primary key check (id = 1),
  key_id text not null,
  since {integer} not null
) {strict};
