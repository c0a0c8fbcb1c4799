// Begins an upload over HTTP/2 and resets it in the middle; then uploads another on the same connection.
const { Readable } = require("node:stream");
const { PutObjectCommand, S3Client } = require("@aws-sdk/client-s3");
const { NodeHttp2Handler } = require("@smithy/node-http-handler");

const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1, requestHandler: new NodeHttp2Handler(), requestChecksumCalculation: "WHEN_REQUIRED" });
const gone = new AbortController();
const slow = new Readable({
  read() {
    if (!this.begun) {
      this.begun = true;
      this.push(Buffer.alloc(100_000, "a"));
      setTimeout(() => gone.abort(), 500);
    }
  },
});

async function main() {
  const upload = new PutObjectCommand({ Bucket: "lake", Key: "ledger/a", Body: slow, ContentLength: 200_000 });
  const error = await s3.send(upload, { abortSignal: gone.signal }).catch((error) => error);
  slow.destroy();
  await s3.send(new PutObjectCommand({ Bucket: "lake", Key: "other", Body: "content" }));
  process.stdout.write(`${JSON.stringify(error.message)}\n`);
  s3.destroy();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
