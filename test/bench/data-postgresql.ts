import type { PostgresServer } from '../servers/postgres.ts'

/**
 * Makes a shop's database, the same every time: narrow and wide tables, numbers, timestamps, text and jsonb, with
 * keys and indexes. Scale 1 is a little more than 1 GB of raw dump. Ends with vacuum and a first dump's worth of
 * reading, so that no later reader has hint bits to write.
 */
export async function makePostgresData(
  server: PostgresServer,
  database: string,
  scale: number,
): Promise<void> {
  await server.query(`create database ${database}`)
  await server.query([prose, ...tables(scale), 'drop function prose'], database)
  await server.query('vacuum (freeze, analyze)', database)
}

const words =
  `the order was sent to customer and will be paid before next week unless somebody calls our office about
delivery weight colour size red green blue small large express standard return invoice discount gift wrapped fragile
battery included warranty extended shipping address changed twice please confirm phone number left at reception door
neighbour weekend only after five`.split(/\s+/)

/** Seeded, so that the dump is the same on every machine: hashint8 is part of PostgreSQL. */
const prose = `
create function prose(seed bigint, length int) returns text immutable language sql as $$
  select string_agg((array['${words.join("','")}'])[1 + abs(hashint8(seed * 1009 + n) % ${words.length})], ' ')
  from generate_series(1, length) n
$$`

function tables(scale: number): string[] {
  const rows = (full: number) => Math.max(1, Math.round(full * scale))
  return [
    `create table reading as
       select n as id, (abs(hashint8(n)) % 5000)::int as sensor,
              timestamptz '2026-01-01 00:00+00' + n * interval '7 seconds' as taken_at,
              (hashint8(n + 1) / 65536.0)::double precision as value, (n % 4)::smallint as quality
       from generate_series(1::bigint, ${rows(4_200_000)}) n`,
    `create table customer as
       select n as id, md5(n::text)::uuid as token, initcap(prose(n, 2)) as name,
              'customer' || n || '@example.org' as email, prose(n + 1, 4) as street, prose(n + 2, 1) as city,
              lpad((abs(hashint8(n)) % 100000)::text, 5, '0') as postcode, 'DE' as country,
              '+49 30 ' || (abs(hashint8(n + 3)) % 10000000) as phone, n % 3 = 0 as newsletter,
              date '1950-01-01' + (abs(hashint8(n + 4)) % 20000) as born,
              timestamptz '2024-01-01 00:00+00' + n * interval '91 seconds' as created_at,
              case when n % 5 = 0 then prose(n + 5, 30) end as remark,
              (abs(hashint8(n + 6)) % 1000000 / 100.0)::numeric(12, 2) as credit, md5(n || 'salt') as password_hash,
              array[prose(n + 7, 1), prose(n + 8, 1), prose(n + 9, 1)] as tags
       from generate_series(1::bigint, ${rows(400_000)}) n`,
    `create table "order" as
       select n as id, 1 + abs(hashint8(n)) % ${rows(400_000)} as customer,
              timestamptz '2025-01-01 00:00+00' + n * interval '31 seconds' as placed_at,
              (abs(hashint8(n + 1)) % 90000 / 100.0)::numeric(10, 2) as total,
              (array['new', 'paid', 'sent', 'returned'])[1 + abs(hashint8(n + 2)) % 4] as state, prose(n, 6) as note
       from generate_series(1::bigint, ${rows(1_300_000)}) n`,
    `create table order_line as
       select 1 + n / 3 as "order", (1 + n % 3)::smallint as line, abs(hashint8(n)) % 50000 as product,
              (1 + abs(hashint8(n + 1)) % 9)::smallint as quantity,
              (abs(hashint8(n + 2)) % 30000 / 100.0)::numeric(10, 2) as price
       from generate_series(0::bigint, ${rows(3_900_000)} - 1) n`,
    `create table event as
       select n as id, timestamptz '2026-01-01 00:00+00' + n * interval '13 seconds' as happened_at,
              jsonb_build_object('type', (array['view', 'click', 'buy', 'search'])[1 + abs(hashint8(n)) % 4],
                'session', md5((n / 20)::text), 'path', '/' || replace(prose(n, 3), ' ', '/'),
                'duration', abs(hashint8(n + 1)) % 100000, 'words', to_jsonb(string_to_array(prose(n + 2, 8), ' ')),
                'client', jsonb_build_object('width', 320 + n % 1600, 'bot', n % 17 = 0)) as body
       from generate_series(1::bigint, ${rows(560_000)}) n`,
    `create table document as
       select n as id, prose(n, 6) as title, prose(n + 1, 700) as body, decode(md5(n::text), 'hex') as digest
       from generate_series(1::bigint, ${rows(42_000)}) n`,
    `alter table reading add primary key (id)`,
    `alter table customer add primary key (id)`,
    `alter table "order" add primary key (id), add foreign key (customer) references customer`,
    `alter table order_line add primary key ("order", line)`,
    `alter table event add primary key (id)`,
    `alter table document add primary key (id)`,
    `create index on "order" (customer)`,
    `create index on event (happened_at)`,
  ]
}
