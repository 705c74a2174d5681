import type { MysqlLikeServer } from '../servers/mysql-like.ts'

/** The shop once more, in MariaDB, the same every time. Scale 1 is a little more than 1 GB of raw dump. */
export async function makeMariadbData(
  server: MysqlLikeServer,
  database: string,
  scale: number,
): Promise<void> {
  await server.query(`create database ${database} character set utf8mb4`)
  const rows = (full: number) => `seq_1_to_${Math.max(1, Math.round(full * scale))}`
  await server.query(
    [
      `create table word (n int primary key, text varchar(20) not null)`,
      `insert into word values ${words.map((word, n) => `(${n}, '${word}')`).join(', ')}`,
      `create table paragraph (n int primary key, text text not null)`,
      `insert into paragraph select p.seq, group_concat(w.text order by w.place separator ' ')
       from seq_0_to_999 p join (select a.seq as place, word.text, word.n from seq_0_to_79 a
         join word on word.n = crc32(a.seq * 7919) % ${words.length}) w on (p.seq + w.place) % 3 > 0 group by p.seq`,
      `create table reading (id bigint primary key, sensor int not null, taken_at datetime not null,
         value double not null, quality tinyint not null)`,
      `insert into reading select seq, crc32(seq) % 5000, '2026-01-01' + interval seq * 7 second,
         crc32(seq + 1) / 65536, seq % 4 from ${rows(5_500_000)}`,
      `create table customer (id bigint primary key, token char(36) not null, name varchar(80) not null,
         email varchar(80) not null, street varchar(120) not null, born date not null, newsletter bool not null,
         created_at timestamp not null, credit decimal(12, 2) not null, password_hash char(32) not null, remark text)`,
      `insert into customer select seq, md5(seq), concat(a.text, ' ', b.text), concat('customer', seq, '@example.org'),
         concat(b.text, ' ', a.text, ' ', seq % 200), '1950-01-01' + interval crc32(seq) % 20000 day, seq % 3 = 0,
         '2024-01-01' + interval seq * 91 second, crc32(seq + 1) % 1000000 / 100, md5(seq + 7),
         if(seq % 5 = 0, p.text, null)
       from ${rows(600_000)} join word a on a.n = crc32(seq) % ${words.length}
         join word b on b.n = crc32(seq + 2) % ${words.length} join paragraph p on p.n = seq % 1000`,
      `create table event (id bigint primary key, happened_at datetime(3) not null, body json not null, raw varbinary(32))`,
      `insert into event select seq, '2026-01-01' + interval seq * 13 second,
         json_object('type', elt(1 + crc32(seq) % 4, 'view', 'click', 'buy', 'search'), 'session', md5(seq div 20),
           'duration', crc32(seq + 1) % 100000, 'path', concat('/', a.text, '/', b.text), 'width', 320 + seq % 1600),
         unhex(md5(seq))
       from ${rows(1_600_000)} join word a on a.n = crc32(seq) % ${words.length}
         join word b on b.n = crc32(seq + 2) % ${words.length}`,
      `create table document (id bigint primary key, title varchar(200) not null, body mediumtext not null)`,
      `insert into document select seq, left(p.text, 60), concat(p.text, ' ', q.text, ' ', md5(seq), ' ', r.text, ' ', s.text,
           ' ', q.text, ' ', md5(seq + 1), ' ', p.text)
       from ${rows(130_000)} join paragraph p on p.n = crc32(seq) % 1000 join paragraph q on q.n = crc32(seq + 1) % 1000
         join paragraph r on r.n = crc32(seq + 2) % 1000 join paragraph s on s.n = crc32(seq + 3) % 1000`,
      `drop table paragraph, word`,
      `analyze table reading, customer, event, document`,
    ],
    database,
  )
}

const words =
  `the order was sent to customer and will be paid before next week unless somebody calls our office about
delivery weight colour size red green blue small large express standard return invoice discount gift wrapped fragile
battery included warranty extended shipping address changed twice please confirm phone number left at reception door
neighbour weekend only after five`.split(/\s+/)
