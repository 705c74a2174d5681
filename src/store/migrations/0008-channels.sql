-- Where notices go.
create table channels (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  kind text not null,
  -- Those of its kind's schema, with every secret sealed.
  settings {json} not null,
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- Other organizations may send to it, too.
  is_shared {integer} not null check (is_shared in (0, 1)),
  -- How its last delivery fared; a test counts.
  last_delivered_at {integer},
  last_failed_at {integer},
  last_error {json},
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

-- Which events of which servers go to which channels.
create table notification_rules (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  -- shared/notifications.ts
  events {json} not null,
  servers {json} not null,
  -- Null: all channels of the organization, also those that come later; else [id].
  channels {json},
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

-- What goes on: a database whose backups fail, a volume that cannot be reached. It is told once, now and then again, and
-- when it is over.
create table notification_threads (
  organization_id text not null references organizations (id),
  -- backup:<plan>:<database>, overdue:<plan>:<database>, volume:<volume> …
  key text not null,
  -- How often it has happened.
  count {integer} not null,
  first_at {integer} not null,
  last_at {integer} not null,
  -- Ids of the channels that have heard of it.
  told {json} not null,
  primary key (organization_id, key)
) {strict};

-- What organizations that were there before begin with; a new one gets the same (app/notifications/default-rule.ts).
insert into notification_rules
  (id, organization_id, name, is_enabled, events, servers, channels, revision, created_at, updated_at)
select id, id, 'Failures and overdue backups', 1,
  cast('["backup.partial","backup.failed","backup.recovered","backup.overdue","restore.failed","restore.recovered","copy.missing","copy.corrupt","retention.failed","volume.nearly-full","volume.unreachable","volume.recovered","app-backup.failed"]' as {json}),
  cast('{"all":true}' as {json}), null, 1, created_at, created_at
from organizations;
