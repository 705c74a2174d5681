import { DatabaseSync } from 'node:sqlite'

export const SAMPLE_ORDERS = 5_000

/** A small shop. Made anew each time, so that the demonstration always starts from the same state. */
export function makeSample(path: string): void {
  const database = new DatabaseSync(path)
  try {
    database.exec(`
      pragma journal_mode = wal;
      begin immediate;
      drop view if exists revenue;
      drop table if exists orders;
      drop table if exists customers;
      create table customers (id integer primary key, name text not null, email text not null unique) strict;
      create table orders (
        id integer primary key, customer integer not null references customers, item text not null,
        cents integer not null, ordered_at text not null
      ) strict;
      create index orders_by_customer on orders (customer);
      create view revenue as select customer, sum(cents) as cents from orders group by customer;
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
        insert into customers select i, 'Customer ' || i, 'customer' || i || '@example.com' from n;
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${SAMPLE_ORDERS})
        insert into orders
        select i, 1 + (i * 7919) % 500, 'Item ' || (1 + (i * 31) % 97), 100 + (i * 137) % 9900,
               datetime('2026-01-01', '+' || (i * 13) || ' minutes') from n;
      commit;
    `)
  } finally {
    database.close()
  }
}
