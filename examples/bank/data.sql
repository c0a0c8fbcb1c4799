-- Rows that are the same on every machine and at every load: each value is drawn from an MD5 of what it is for, never from
-- random() or the clock. Card numbers pass Luhn and stand in the issuers' published test ranges, SSNs and bank codes are
-- formally valid, e-mail addresses end in the domains reserved for examples, phone numbers in the numbers kept for fiction.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET ROLE app;

-- Drawing ---------------------------------------------------------------------------------------------------------

-- A number from 0 to below - 1.
CREATE FUNCTION pg_temp.draw(what text, below bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || substr(md5(what), 1, 15))::bit(60)::bigint % below $$;

CREATE FUNCTION pg_temp.pick(what text, among text[]) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT among[1 + pg_temp.draw(what, cardinality(among))] $$;

CREATE FUNCTION pg_temp.digits(what text, count integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT lpad(pg_temp.draw(what, (10 ^ count)::bigint)::text, count, '0') $$;

-- Check digits ----------------------------------------------------------------------------------------------------

-- The number with its Luhn digit appended: every second digit from the right, the appended one excluded, counts double.
CREATE FUNCTION pg_temp.luhn(body text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT body || (10 - sum(CASE WHEN (length(body) - i) % 2 = 1 THEN d
                                  WHEN d > 4 THEN 2 * d - 9
                                  ELSE 2 * d END) % 10) % 10
    FROM generate_series(1, length(body)) i, LATERAL (SELECT substr(body, i, 1)::integer AS d) digit
$$;

-- The number with its ABA digit appended: weights 3, 7, 1 over nine digits sum to a multiple of ten.
CREATE FUNCTION pg_temp.aba(body text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT body || (10 - sum((ARRAY[3, 7, 1])[1 + (i - 1) % 3] * substr(body, i, 1)::integer) % 10) % 10
    FROM generate_series(1, 8) i
$$;

-- ISO 13616: the account and the country moved behind it, letters as 10 to 35, leave 1 when divided by 97.
CREATE FUNCTION pg_temp.iban(country text, account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT country || lpad((98 - string_agg(
               CASE WHEN c BETWEEN 'A' AND 'Z' THEN (ascii(c) - 55)::text ELSE c END, '' ORDER BY i)::numeric % 97)::text, 2, '0')
           || account
    FROM regexp_split_to_table(account || country || '00', '') WITH ORDINALITY AS letter(c, i)
$$;

-- Area 001 to 899 without 666, group 01 to 99, serial 0001 to 9999.
CREATE FUNCTION pg_temp.ssn(what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s-%s-%s', lpad((CASE WHEN area < 666 THEN area ELSE area + 1 END)::text, 3, '0'),
                  lpad((1 + pg_temp.draw(what || ' group', 99))::text, 2, '0'),
                  lpad((1 + pg_temp.draw(what || ' serial', 9999))::text, 4, '0'))
    FROM (SELECT 1 + pg_temp.draw(what || ' area', 898) AS area) drawn
$$;

-- Rows ------------------------------------------------------------------------------------------------------------

INSERT INTO customers
SELECT id, first || ' ' || last,
       lower(first || '.' || last) || id || pg_temp.pick('mail ' || id, '{@example.com,@example.org,@example.net}'),
       ssn,
       format('+1-%s-555-01%s', pg_temp.pick('area code ' || id, '{202,212,312,415,512,617,702}'), pg_temp.digits('phone ' || id, 2)),
       date '1940-01-01' + pg_temp.draw('born ' || id, 23500)::integer,
       format('%s %s', 1 + pg_temp.draw('house ' || id, 990),
              pg_temp.pick('street ' || id, '{Oak Street,Mill Lane,Station Road,Harbor Way,Linden Avenue,Church Hill,Elm Court}')),
       pg_temp.pick('city ' || id, CASE country
           WHEN 'US' THEN '{Boston,Chicago,Austin,Denver,Seattle,Atlanta}'::text[]
           WHEN 'DE' THEN '{Hamburg,Leipzig,Freiburg}'::text[]
           WHEN 'GB' THEN '{Leeds,Bristol,Cardiff}'::text[]
           ELSE '{Utrecht,Delft,Groningen}'::text[] END),
       country,
       jsonb_build_object('segment', pg_temp.pick('segment ' || id, '{retail,premier,business}'),
                          'newsletter', pg_temp.draw('newsletter ' || id, 2) = 1)
           || CASE WHEN ssn IS NOT NULL AND id % 10 = 0
                   THEN jsonb_build_object('kyc', jsonb_build_object('document', 'ssn', 'number', ssn)) ELSE '{}' END,
       timestamptz '2016-01-01 09:00Z' + pg_temp.draw('joined ' || id, 3000 * 86400) * interval '1 second'
FROM (SELECT id, country,
             CASE WHEN country = 'US' THEN pg_temp.ssn('ssn ' || id) END AS ssn,
             pg_temp.pick('first ' || id, '{Ada,Aisha,Alan,Amara,Anton,Bea,Carlos,Chen,Clara,Daniel,Dara,Elena,Emil,Farah,Felix,'
                 'Grace,Hana,Hugo,Ines,Ivan,Jonas,Kofi,Lena,Liam,Lucia,Maya,Milan,Nadia,Noah,Olga,Omar,Priya,Quinn,Rosa,Samir,'
                 'Sara,Tariq,Thea,Uma,Victor,Wen,Yara,Yusuf,Zoe}') AS first,
             pg_temp.pick('last ' || id, '{Abbott,Adeyemi,Baker,Becker,Brandt,Castillo,Dubois,Eriksen,Farrow,Fischer,Garcia,Haddad,'
                 'Hughes,Ibrahim,Jansen,Kaplan,Keller,Kumar,Lindqvist,Marsh,Mbeki,Moreau,Nakamura,Novak,Okafor,Olsen,Park,Pereira,'
                 'Quist,Rao,Reyes,Rossi,Schmidt,Silva,Sorensen,Tanaka,Turner,Ueda,Vargas,Weber,Wong,Young,Ziegler}') AS last
      FROM (SELECT id, pg_temp.pick('country ' || id, '{US,US,US,US,US,US,US,DE,GB,NL}') AS country
            FROM generate_series(1, 2000) id) numbered) named;

INSERT INTO accounts
SELECT id, customer_id, pg_temp.pick('kind ' || id, '{checking,checking,savings,business}'),
       CASE country WHEN 'US' THEN 'USD' WHEN 'GB' THEN 'GBP' ELSE 'EUR' END,
       CASE country WHEN 'DE' THEN pg_temp.iban('DE', '99999999' || pg_temp.digits('iban ' || id, 10))
                    WHEN 'GB' THEN pg_temp.iban('GB', 'XMPL999999' || pg_temp.digits('iban ' || id, 8))
                    WHEN 'NL' THEN pg_temp.iban('NL', 'XMPL' || pg_temp.digits('iban ' || id, 10)) END,
       CASE country WHEN 'US' THEN pg_temp.aba(pg_temp.pick('district ' || id, '{01,02,03,05,06,09,11,12,21,26,32}')
                                               || pg_temp.digits('routing ' || id % 40, 6)) END,
       CASE country WHEN 'US' THEN pg_temp.digits('account ' || id, 10) END,
       (pg_temp.draw('balance ' || id, 25000000) - 200000) / 100.0,
       pg_temp.pick('account status ' || id, '{open,open,open,open,open,open,open,open,frozen,closed}'),
       date '2016-01-01' + pg_temp.draw('opened ' || id, 3000)::integer
FROM (SELECT a.id, c.id AS customer_id, c.country
      FROM generate_series(1, 3000) a(id)
      JOIN customers c ON c.id = CASE WHEN a.id <= 2000 THEN a.id ELSE 1 + pg_temp.draw('second account ' || a.id, 2000) END) owned;

INSERT INTO cards
SELECT id, account_id,
       pg_temp.luhn(bin || pg_temp.digits('pan ' || id, length - 1 - length(bin))),
       brand, upper(name), expiry,
       CASE WHEN expiry < date '2026-01-01' THEN 'expired'
            ELSE pg_temp.pick('card status ' || id, '{active,active,active,active,active,active,active,blocked}') END,
       100 * (1 + pg_temp.draw('limit ' || id, 50))
FROM (SELECT k.id, a.id AS account_id, c.name,
             (make_date(2024 + pg_temp.draw('year ' || k.id, 7)::integer, 1 + pg_temp.draw('month ' || k.id, 12)::integer, 1)
                 + interval '1 month - 1 day')::date AS expiry,
             (ARRAY['visa', 'visa', 'visa', 'mastercard', 'mastercard', 'amex', 'discover', 'jcb', 'diners'])[issuer] AS brand,
             (ARRAY['411111', '424242', '401288', '555555', '222300', '378282', '601111', '353011', '305693'])[issuer] AS bin,
             (ARRAY[16, 16, 16, 16, 16, 15, 16, 16, 14])[issuer] AS length
      FROM (SELECT id, 1 + pg_temp.draw('issuer ' || id, 9)::integer AS issuer FROM generate_series(1, 2600) id) k
      JOIN accounts a ON a.id = 1 + pg_temp.draw('card of ' || k.id, 3000)
      JOIN customers c ON c.id = a.customer_id) issued;

INSERT INTO payments
SELECT p.id, p.account_id, k.id, shop,
       CASE WHEN k.id IS NULL AND p.id % 3 = 0 THEN cents ELSE -cents END / 100.0,
       a.currency,
       pg_temp.pick('payment status ' || p.id, '{settled,settled,settled,settled,settled,settled,settled,pending,failed,reversed}'),
       CASE p.id % 40
           WHEN 7 THEN 'refund to card ' || k.pan || ' please'
           WHEN 11 THEN 'paid by phone, card ' || regexp_replace(k.pan, '(\d{4})(?=\d)', '\1-', 'g') || to_char(k.expiry, '" exp "MM/YY')
           WHEN 19 THEN 'send the receipt to ' || c.email
           WHEN 23 THEN 'tax id ' || c.ssn || ' on file'
           WHEN 29 THEN 'order ' || pg_temp.digits('order ' || p.id, 9)  -- looks like a number, is none of ours
           WHEN 31 THEN 'Ünïcode: grüße, 支払い, 💳 ok'
       END,
       jsonb_build_object('channel', CASE WHEN k.id IS NULL THEN 'transfer' ELSE 'card' END,
                          'reference', 'R' || pg_temp.digits('reference ' || p.id, 8))
           || CASE WHEN p.id % 20 = 0 THEN jsonb_build_object('payer', jsonb_build_object('name', c.name, 'email', c.email)) ELSE '{}' END,
       timestamptz '2025-01-01 00:00Z' + pg_temp.draw('paid ' || p.id, 365 * 86400) * interval '1 second'
FROM (SELECT id, 1 + pg_temp.draw('payer ' || id, 3000)::integer AS account_id,
             100 + pg_temp.draw('cents ' || id, 90000) AS cents,
             pg_temp.pick('shop ' || id, '{Corner Grocery,Northwind Books,City Transit,Harbor Cafe,Blue Door Hotel,Pine Pharmacy,'
                 'Lakeside Garage,Green Power,Metro Water,Sunrise Bakery}') AS shop
      FROM generate_series(1, 12000) id) p
JOIN accounts a ON a.id = p.account_id
JOIN customers c ON c.id = a.customer_id
LEFT JOIN LATERAL (SELECT * FROM cards WHERE cards.account_id = a.id ORDER BY cards.id LIMIT 1) k ON true;

INSERT INTO support_notes
SELECT n.id, c.id, pg_temp.pick('author ' || n.id, '{m.ellis,j.tran,s.ortiz}'),
       CASE n.id % 5
           WHEN 0 THEN format('Caller gave SSN %s and date of birth %s; identity confirmed.', coalesce(c.ssn, '(none)'), c.date_of_birth)
           WHEN 1 THEN format('Card %s was declined twice, limit raised.', coalesce(k.pan, '(none)'))
           WHEN 2 THEN format('Wrote to %s about the new terms.', c.email)
           WHEN 3 THEN format('Asked to move the balance to %s.', coalesce(a.iban, format('routing %s account %s', a.routing_number, a.account_number)))
           ELSE 'Asked about opening hours. No data given.'
       END,
       ARRAY[pg_temp.pick('tag ' || n.id, '{identity,card,letter,transfer}'), 'phone'],
       timestamptz '2025-01-01 08:00Z' + pg_temp.draw('written ' || n.id, 365 * 86400) * interval '1 second'
FROM (SELECT id, 1 + pg_temp.draw('caller ' || id, 2000)::integer AS customer_id FROM generate_series(1, 1500) id) n
JOIN customers c ON c.id = n.customer_id
JOIN LATERAL (SELECT * FROM accounts WHERE accounts.customer_id = c.id ORDER BY accounts.id LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT * FROM cards WHERE cards.account_id = a.id ORDER BY cards.id LIMIT 1) k ON true;

SELECT setval('payment_ids', 100000) \g /dev/null
RESET ROLE;
ANALYZE customers, accounts, cards, payments, support_notes;
