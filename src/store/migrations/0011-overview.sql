-- Which keys the snapshots of an organization need, without reading the snapshots themselves.
drop index snapshots_of_key;
create index snapshots_of_key on snapshots (organization_id, key_id, key_fingerprint, taken_at)
  where key_id is not null;

-- How many snapshots each database of a server has: with whose they are, so that they are counted without being read.
drop index snapshots_of_server;
create index snapshots_of_server on snapshots (server_id, database, taken_at desc, id desc, organization_id);

-- What ended on a day.
create index jobs_ended on jobs (finished_at) where finished_at is not null;
