-- A column of each type, holding what must not get out. The values are such that no detector knows them: only what is declared
-- protects.
CREATE TYPE m_mood AS ENUM ('calm', 'zqvxkwhisper');
CREATE DOMAIN m_domain AS text CHECK (length(VALUE) > 3);
CREATE TYPE m_pair AS (a text, b bigint);
CREATE TABLE m (
    id integer PRIMARY KEY,
    v_text text, v_char char(20), v_name name, v_domain m_domain, v_enum m_mood, v_tsvector tsvector,
    v_integer integer, v_bigint bigint, v_numeric numeric(14, 2), v_float8 double precision,
    v_date date, v_timestamp timestamp, v_timestamptz timestamptz, v_interval interval,
    v_uuid uuid, v_bytea bytea, v_inet inet, v_bit bit varying(64),
    v_json json, v_jsonb jsonb, v_xml xml, v_texts text[], v_bigints bigint[], v_range int8range, v_pair m_pair
);
INSERT INTO m SELECT i,
    'QWZXKVJPHGFDMBTYLN', 'VKZQXJWTGDPBHLNMRFKX', 'ZKQXWVJFPBGDTMHL', 'GVXJQKWZTDLBHPNM', 'zqvxkwhisper', 'xkzqjwvgtpbhdm',
    1739184620, 739184620517, 8261739.45, 5938274.625,
    '1913-07-29', '1927-11-03 21:14:07.654321', '1938-02-17 04:41:53.987654+00', '37 years 5 mons 11 days 06:53:29',
    'c7d9f3b1-5e82-4a6c-9d17-f3b86e2a5c91', 'WVXQZPKJGHTRDLMBNF', '203.0.113.177', '1011001110001111010100101101110010110101',
    '{"pin": "ZVXQKJGWBTDPLH"}', '{"pin": "WQXZVKJTGHDBPM"}', '<pin>QJZWXKVGDHPTBLMN</pin>', '{KQJZXWGVTPBDHMLN}',
    '{952846173309}', '[416273958802,416273958999)', '(TDLBHPNMQZXK,741069283517)'
FROM generate_series(1, 12) i;
ANALYZE m;
CREATE TABLE m_sink (v text CHECK (v IS NULL));
CREATE FUNCTION m_say(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''it is %'', $1; END';
