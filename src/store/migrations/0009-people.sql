-- People. The names of these columns are better-auth's (app/sign-in/auth.ts).
create table users (
  id text primary key,
  name text not null,
  -- In lower case.
  email text not null unique,
  email_verified {integer} not null check (email_verified in (0, 1)),
  image text,
  two_factor_enabled {integer} not null default 0 check (two_factor_enabled in (0, 1)),
  -- Administers the instance, and may do everything in every organization.
  is_instance_administrator {integer} not null default 0 check (is_instance_administrator in (0, 1)),
  -- Cannot sign in; its tokens are refused.
  is_disabled {integer} not null default 0 check (is_disabled in (0, 1)),
  -- Raised by whatever makes what somebody was about to sign in with worthless.
  credentials_version {integer} not null default 0,
  created_at {integer} not null,
  updated_at {integer} not null
) {strict};

create table sessions (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  token text not null unique,
  -- The organization that its requests are about, which may be gone; null: it has not made any.
  organization_id text,
  -- password, passkey, or oidc:<identity provider>
  method text,
  ip_address text,
  user_agent text,
  expires_at {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null
) {strict};

create index sessions_of_user on sessions (user_id);
create index sessions_expiring on sessions (expires_at);

-- What a user signs in with: a password (provider_id “credential”), identity providers.
create table accounts (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  account_id text not null,
  provider_id text not null,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at {integer},
  refresh_token_expires_at {integer},
  scope text,
  -- argon2id, as PHC string.
  password text,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (provider_id, account_id)
) {strict};

create index accounts_of_user on accounts (user_id);

-- What must come back within minutes: the state of a sign-in, a reset of a password, a challenge.
create table verifications (
  id text primary key,
  identifier text not null,
  value text not null,
  expires_at {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null
) {strict};

create index verifications_by_identifier on verifications (identifier);

create table two_factors (
  id text primary key,
  user_id text not null unique references users (id) on delete cascade,
  -- Both sealed.
  secret text not null,
  backup_codes text not null,
  verified {integer} not null default 1 check (verified in (0, 1)),
  failed_verification_count {integer} not null default 0,
  locked_until {integer}
) {strict};

create table passkeys (
  id text primary key,
  user_id text not null references users (id) on delete cascade,
  name text not null,
  -- Base64url of the credential's id, and of its public key in COSE.
  credential_id text not null unique,
  public_key text not null,
  counter {integer} not null,
  -- [usb, internal …]
  transports {json} not null,
  -- Whether it may be in several places at once, as in an account that synchronises them; and whether it is.
  may_be_backed_up {integer} not null check (may_be_backed_up in (0, 1)),
  is_backed_up {integer} not null check (is_backed_up in (0, 1)),
  created_at {integer} not null,
  last_used_at {integer}
) {strict};

create index passkeys_of_user on passkeys (user_id);

-- How often somebody failed to sign in, by account and address.
create table sign_in_failures (
  key text primary key,
  count {integer} not null,
  last_at {integer} not null,
  -- Until then every try is refused unseen.
  blocked_until {integer} not null
) {strict};

-- The one-time token with which the first account is made. There is one row, until that has happened.
create table setup (
  id {integer} primary key check (id = 1),
  -- SHA-256, in hex.
  hash text not null,
  created_at {integer} not null
) {strict};

-- What cookies and second factors are sealed and signed with, sealed itself. There is one row.
create table identity_secret (
  id text primary key check (id = 'identity'),
  -- {secret}
  content {json} not null
) {strict};

-- Providers of OpenID Connect, and GitHub.
create table identity_providers (
  id text primary key,
  name text not null unique,
  -- oidc, google, github …
  kind text not null,
  -- Its kind's schema, with every secret sealed.
  settings {json} not null,
  -- {autoCreate, emailDomains, claim, mappings …}: who may sign in by it, and what they may do then.
  rules {json} not null,
  is_enabled {integer} not null check (is_enabled in (0, 1)),
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null
) {strict};

-- What people may do in an organization.
create table roles (
  id text primary key,
  organization_id text not null references organizations (id),
  name text not null,
  -- [ability]
  abilities {json} not null,
  -- Null: all servers; else shared/roles.ts.
  servers {json},
  is_built_in {integer} not null check (is_built_in in (0, 1)),
  revision {integer} not null,
  created_at {integer} not null,
  updated_at {integer} not null,
  unique (organization_id, name)
) {strict};

create table memberships (
  organization_id text not null references organizations (id),
  user_id text not null references users (id) on delete cascade,
  role_id text not null references roles (id),
  -- The identity provider that gave it, and takes it away again; null: a person.
  provider_id text references identity_providers (id) on delete set null,
  created_at {integer} not null,
  primary key (organization_id, user_id)
) {strict};

create index memberships_of_user on memberships (user_id);
create index memberships_of_role on memberships (role_id);

create table invitations (
  id text primary key,
  organization_id text not null references organizations (id),
  email text not null,
  role_id text not null references roles (id),
  -- SHA-256 of what its link carries, in hex.
  hash text not null unique,
  invited_by text references users (id) on delete set null,
  expires_at {integer} not null,
  accepted_at {integer},
  created_at {integer} not null
) {strict};

create index invitations_of on invitations (organization_id, created_at);

alter table tokens add column owner_id text references users (id) on delete cascade;
-- [ability]; null: all.
alter table tokens add column scopes {json};
-- Whether it administers the instance, too.
alter table tokens add column is_instance_administrator {integer} not null default 0;
-- Networks from which it may be used: ["10.0.0.0/8"]; null: everywhere.
alter table tokens add column networks {json};
alter table tokens add column expires_at {integer};

-- Those that were there before belong to nobody, and may do everything.
update tokens set is_instance_administrator = 1;

-- [id] of those that were merged into it: what is recorded of them is shown with its own.
alter table organizations add column merged_ids {json} not null default '[]';

-- What people and programs have done. Only ever added to; the oldest go when their time is over.
create table audit_entries (
  number {integer} primary key,
  id text not null unique,
  -- Null: the instance.
  organization_id text,
  at {integer} not null,
  -- server.change
  action text not null,
  -- succeeded, or the code of the error
  outcome text not null,
  -- {kind, id, name}
  actor {json} not null,
  actor_id text,
  address text,
  -- {kind, id, name}
  target {json},
  target_id text,
  -- {before, after, …}, without any secret
  details {json} not null,
  -- SHA-256 over this entry and the hash of the one before it, in hex.
  hash text not null
) {strict};

create index audit_entries_of on audit_entries (organization_id, number);
create index audit_entries_of_actor on audit_entries (actor_id, number);
create index audit_entries_of_target on audit_entries (target_id, number);
create index audit_entries_at on audit_entries (at);

-- Both ends of that chain. There is one row, once there is an entry.
create table audit_chain (
  id {integer} primary key check (id = 1),
  -- The last entry.
  number {integer} not null,
  hash text not null,
  -- The last of those that have gone.
  gone_number {integer} not null,
  gone_hash text not null
) {strict};

-- What organizations that were there before begin with; a new one gets the same (app/roles/built-in.ts).
insert into roles (id, organization_id, name, abilities, servers, is_built_in, revision, created_at, updated_at)
select id || '-viewer', id, 'Viewer', cast('["view"]' as {json}), null, 1, 1, created_at, created_at
from organizations;

insert into roles (id, organization_id, name, abilities, servers, is_built_in, revision, created_at, updated_at)
select id || '-operator', id, 'Operator',
  cast('["view","run-backups","restore","download-snapshots","edit-snapshots"]' as {json}), null, 1, 1, created_at, created_at
from organizations;

insert into roles (id, organization_id, name, abilities, servers, is_built_in, revision, created_at, updated_at)
select id || '-member', id, 'Member',
  cast('["view","run-backups","restore","download-snapshots","edit-snapshots","delete-snapshots","manage-servers","manage-plans","manage-schedules","manage-volumes","manage-agents"]' as {json}), null, 1, 1, created_at, created_at
from organizations;

insert into roles (id, organization_id, name, abilities, servers, is_built_in, revision, created_at, updated_at)
select id || '-admin', id, 'Admin',
  cast('["view","run-backups","restore","download-snapshots","edit-snapshots","delete-snapshots","manage-servers","manage-plans","manage-schedules","manage-volumes","manage-agents","manage-settings","manage-channels","manage-keys","manage-users","manage-roles","manage-tokens","view-audit"]' as {json}), null, 1, 1, created_at, created_at
from organizations;
