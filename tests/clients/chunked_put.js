// Uploads a card's number from a stream, which the SDK sends in chunks with a checksum behind them.
const { Readable } = require("node:stream");
const { PutObjectCommand, S3Client } = require("@aws-sdk/client-s3");

const content = Buffer.from("a line\n4111 1111 1111 1111\n");
const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1 });
s3.send(
  new PutObjectCommand({ Bucket: "lake", Key: "a", Body: Readable.from([content.subarray(0, 12), content.subarray(12)]), ContentLength: content.length }),
).catch((error) => {
  console.error(error.name);
  process.exit(1);
});
