// An OpenID provider of the tests: the certified oidc-provider on a free loopback port, behind which agents get tokens by
// the client credentials grant. It says "ready ISSUER", then answers each line of JSON with one line:
//
//   {"client": "alice", "claims": {…}, "alg": "ES256"}   "token …": what the provider gives this client, with these claims added
//   {"forge": {…}, "alg": "ES256", "with": "own"}        "token …": with exactly these claims, signed with the provider's own key,
//                                                        or with one that it never published ("other")
//   {"rotate": true}                                     "rotated": from now on it has other keys, and publishes only those

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import * as jose from 'jose';
import { Provider } from 'oidc-provider';

const RESOURCE = 'urn:example:gateway';
const SECRET = 'the-secret-of-every-client';
const clients = ['alice', 'ci-bot', 'carol'];
let claims = {};
let algorithm = 'ES256';
let keys;
let handle;

const server = createServer((request, response) => handle(request, response));
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
// The provider says how it should be run in production.
console.info = console.warn = () => {};
await rotate();
console.log(`ready ${issuer}`);

for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  if (wish.rotate) {
    await rotate();
    console.log('rotated');
  } else if (wish.forge) {
    const key = wish.with === 'other' ? (await pair(wish.alg)).key : keys[wish.alg].key;
    const kid = keys[wish.alg].jwk.kid;
    const token = new jose.SignJWT(wish.forge).setProtectedHeader({ alg: wish.alg, kid });
    console.log(`token ${await token.sign(key)}`);
  } else {
    claims = wish.claims ?? {};
    algorithm = wish.alg ?? 'ES256';
    console.log(`token ${await granted(wish.client)}`);
  }
}
server.close();
server.closeAllConnections();

async function pair(alg) {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await jose.exportJWK(privateKey)), use: 'sig', alg };
  return { key: privateKey, jwk: { ...jwk, kid: await jose.calculateJwkThumbprint(jwk) } };
}

async function rotate() {
  keys = { ES256: await pair('ES256'), RS256: await pair('RS256') };
  const provider = new Provider(issuer, {
    clients: clients.map((client_id) => ({
      client_id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    jwks: { keys: Object.values(keys).map(({ jwk }) => jwk) },
    extraTokenClaims: () => claims,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'sql',
          audience: 'countersign',
          accessTokenTTL: 3600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  handle = provider.callback();
}

async function granted(client) {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'sql' }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return body.access_token;
}
