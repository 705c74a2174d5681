-- What programs sign in with. Of the token itself only a hash is kept.
create table tokens (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  hash text not null unique,
  created_at {integer} not null,
  last_used_at {integer},
  unique (organization_id, name)
) {strict};

-- What only one process may do at a time.
create table leases (
  name text primary key,
  holder text not null,
  held_until {integer} not null
) {strict};
