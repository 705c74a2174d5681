-- How backups ended, day by day, without reading the jobs themselves. The run of a plan that could not even order them has
-- failed, too.
create index jobs_backups_ended on jobs (organization_id, finished_at, state)
  where kind = 'backup' or (kind = 'run-plan' and state = 'failed');

-- What a volume held at a time, without reading the copies themselves.
create index copies_by_time on copies (volume_id, created_at, state, bytes);
