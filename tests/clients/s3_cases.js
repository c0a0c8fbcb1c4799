// What the AWS SDK for JavaScript does with S3 through the gateway. Everything it knows of it stands in the environment.
// Prints one line of JSON for each case.
'use strict';

const {
  S3Client, PutObjectCommand, GetObjectCommand, ListObjectsV2Command, HeadObjectCommand, CopyObjectCommand, DeleteObjectsCommand,
} = require('@aws-sdk/client-s3');

const { NodeHttp2Handler } = require('@smithy/node-http-handler');

// Over HTTP/2 where the environment says so; there is no falling back from that.
const requestHandler = process.env.S3_HTTP2 ? new NodeHttp2Handler() : undefined;
const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1, requestHandler });
const Bucket = 'lake';
const text = 'plain\npan 4111111111111111\n';

async function get(Key, Range) {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
  return { body: await answer.Body.transformToString(), range: answer.ContentRange };
}

async function main() {
  const results = {};
  await s3.send(new PutObjectCommand({ Bucket, Key: 'js/ünï +.txt', Body: text, ContentType: 'text/plain' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'js/empty', Body: '' }));
  results.whole = (await get('js/ünï +.txt')).body;
  results.part = await get('js/ünï +.txt', 'bytes=0-9');
  results.masked = await get('js/ünï +.txt', 'bytes=8-13');
  results.empty = (await get('js/empty')).body;
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'js/ünï +.txt' }));
  results.head = [head.ContentLength, head.ETag.endsWith('-masked"')];
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'js/copy', CopySource: encodeURIComponent(`${Bucket}/js/ünï +.txt`) }));
  results.copied = (await get('js/copy')).body;
  const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'js/' }));
  results.listed = list.Contents.map((it) => it.Key);
  const Objects = [{ Key: 'js/copy' }, { Key: 'js/empty' }];
  const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  results.deleted = deleted.Deleted.map((it) => it.Key).sort();
  const many = Array.from({ length: 40 }, (_, n) => get('js/ünï +.txt', `bytes=${n % 20}-${n % 20}`));
  results.many = (await Promise.all(many)).map((it) => it.body).join('');
  results.refused = await s3.send(new PutObjectCommand({ Bucket, Key: 'open', Body: 'x', ACL: 'public-read' })).then(
    () => 'no error',
    (error) => [error.name, error.$metadata.httpStatusCode],
  );
  process.stdout.write(`${JSON.stringify(results)}\n`);
  s3.destroy();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
