-- A database server that can be reached. The settings are those of its engine's schema, with every secret sealed.
create table servers (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  engine text not null,
  connection {json} not null,
  labels {json} not null,
  -- A restore that replaces a database of it asks for the database's name.
  is_production {integer} not null check (is_production in (0, 1)),
  -- Nothing is restored into it at all.
  is_protected {integer} not null check (is_protected in (0, 1)),
  -- How many jobs may run on it at once.
  max_running {integer} not null check (max_running > 0),
  -- Counts the changes.
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};
