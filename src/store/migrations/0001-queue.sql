-- Who owns everything else.
create table organizations (
  id text primary key,
  name text not null unique,
  created_at {integer} not null
) {strict};

-- One piece of work. Times are milliseconds since 1970.
create table jobs (
  id text primary key,
  organization_id text not null references organizations (id),
  -- The job that ordered it: the run of a plan, of which it is one database.
  parent_id text,
  kind text not null,
  -- What it is about, to find it by. These may be gone: history lives longer.
  server_id text,
  plan_id text,
  database text,
  snapshot_id text,
  volume_id text,
  -- What must never be done twice at once: one running and one waiting job per key.
  key text not null,
  state text not null check (state in ('queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
  -- Higher comes first.
  priority {integer} not null default 0,
  -- A worker takes the job only if it has this label.
  label text,
  payload {json} not null,
  run_at {integer} not null,
  -- Counts the claims; whoever holds an older number has lost the job.
  attempt {integer} not null default 0,
  max_attempts {integer} not null default 1,
  -- Milliseconds before the second attempt; doubled before each further one.
  backoff {integer} not null default 60000,
  runner text,
  lease_until {integer},
  cancel_requested_at {integer},
  progress {json},
  result {json},
  error {json},
  created_at {integer} not null,
  started_at {integer},
  finished_at {integer},
  -- The last change of its state, progress or payload.
  updated_at {integer} not null
) {strict};

create unique index jobs_one_running on jobs (key) where state = 'running';
create unique index jobs_one_queued on jobs (key) where state = 'queued';
create index jobs_due on jobs (priority desc, run_at, id) where state = 'queued';
create index jobs_leased on jobs (lease_until) where state = 'running';
create index jobs_history on jobs (organization_id, created_at desc, id desc);
create index jobs_of_plan on jobs (plan_id, database, created_at desc) where plan_id is not null;
create index jobs_of_parent on jobs (parent_id) where parent_id is not null;
create index jobs_changed on jobs (updated_at);

-- What a job says while it runs: lines of JSON, some at a time. Only ever added to.
create table job_logs (
  job_id text not null references jobs (id) on delete cascade,
  number {integer} not null,
  -- [{at, level, message, fields}]
  lines {json} not null,
  primary key (job_id, number)
) {strict};

-- What jobs share, and how many of them may use it at once: a server, a volume.
create table resources (
  name text primary key,
  capacity {integer} not null check (capacity > 0)
) {strict};

create table job_resources (
  job_id text not null references jobs (id) on delete cascade,
  resource text not null,
  primary key (job_id, resource)
) {strict};

-- A running job holds one slot of each resource. The primary key is the cap: there is no slot beyond the last.
create table job_slots (
  resource text not null,
  slot {integer} not null,
  job_id text not null references jobs (id) on delete cascade,
  primary key (resource, slot)
) {strict};

create index job_slots_of on job_slots (job_id);
