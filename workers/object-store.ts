import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import type { Config } from '../ingest/config.ts';
import { ConfigError } from '../ingest/config-error.ts';

/** How an S3-compatible store is reached, in the standard variables of AWS. */
export type S3Settings = Pick<
  Config,
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'AWS_SESSION_TOKEN'
  | 'AWS_REGION'
  | 'AWS_ENDPOINT_URL'
  | 'AWS_ENDPOINT_URL_S3'
>;

/** Objects under one prefix. */
export interface ObjectStore {
  holdsAnything(): Promise<boolean>;
  has(name: string): Promise<boolean>;
  put(name: string, path: string): Promise<void>;
  /** @returns false when there is no such object */
  get(name: string, path: string): Promise<boolean>;
}

/** S3 takes parts of 5 MiB to 5 GiB, at most 10,000 of them; one part is in memory at a time. */
const PART_BYTES = 16 * 2 ** 20;
const MAX_PARTS = 10_000;
/** A request that was refused for the moment (429, 5xx) is repeated so often, with growing waits: up to about 50 s. */
const RETRIES = 8;
const RETRY_MS = 200;
/** One whose connection broke off is repeated so often. */
const BROKEN_RETRIES = 3;

/**
 * @param address `s3://bucket/prefix`
 * @throws {ConfigError} naming what is missing or wrong
 */
export function openObjectStore(address: string, settings: S3Settings): ObjectStore {
  const { bucket, prefix } = parseS3Address(address);
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region } = settings;
  if (!accessKeyId || !secretAccessKey) {
    throw new ConfigError(
      'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: are needed for a backup in an S3-compatible store',
    );
  }
  const endpoint = settings.AWS_ENDPOINT_URL_S3 ?? settings.AWS_ENDPOINT_URL;
  // Stores of one's own seldom have a name per bucket; AWS wants it in the name.
  const base = endpoint ? `${endpoint.replace(/\/+$/, '')}/${bucket}` : `https://${bucket}.s3.${region}.amazonaws.com`;
  const sessionToken = settings.AWS_SESSION_TOKEN;
  const client = new AwsClient({
    ...{ accessKeyId, secretAccessKey, region, service: 's3', retries: RETRIES, initRetryMs: RETRY_MS },
    ...(sessionToken ? { sessionToken } : {}),
  });
  return new S3Objects(client, base, prefix, address);
}

/** @throws {ConfigError} when it is no such address */
export function parseS3Address(address: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]*))?$/.exec(address);
  if (!match) throw new ConfigError(`${address}: must be s3://bucket/prefix, of letters, digits and !_.*'()/-`);
  const prefix = (match[2] ?? '').replace(/\/+$/, '');
  if (prefix.split('/').some((part) => part === '..' || part === '.')) {
    throw new ConfigError(`${address}: . and .. are no names`);
  }
  return { bucket: match[1]!, prefix: prefix === '' ? '' : `${prefix}/` };
}

class S3Objects implements ObjectStore {
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #prefix: string;
  readonly #address: string;

  constructor(client: AwsClient, base: string, prefix: string, address: string) {
    this.#client = client;
    this.#base = base;
    this.#prefix = prefix;
    this.#address = address;
  }

  async holdsAnything(): Promise<boolean> {
    const query = new URLSearchParams({ 'list-type': '2', 'max-keys': '1', prefix: this.#prefix });
    const response = await this.#send('GET', `${this.#base}/?${query}`);
    return /<Key>/.test(await response.text());
  }

  async has(name: string): Promise<boolean> {
    const response = await this.#send('HEAD', this.#url(name), undefined, [404]);
    await response.body?.cancel();
    return response.status !== 404;
  }

  async get(name: string, path: string): Promise<boolean> {
    const response = await this.#send('GET', this.#url(name), undefined, [404]);
    if (response.status === 404 || !response.body) {
      await response.body?.cancel();
      return false;
    }
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(path, { mode: 0o600 }));
    return true;
  }

  /** In one go when it is small, else in parts, of which one is in memory. */
  async put(name: string, path: string): Promise<void> {
    const { size } = await stat(path);
    const file = await open(path, 'r');
    try {
      const partBytes = Math.max(PART_BYTES, Math.ceil(size / MAX_PARTS));
      const read = async (at: number) => {
        const part = Buffer.alloc(Math.min(partBytes, size - at));
        await file.read(part, 0, part.length, at);
        return part;
      };
      if (size > partBytes) await this.#putParts(name, size, partBytes, read);
      else await this.#drain(this.#send('PUT', this.#url(name), await read(0)));
    } finally {
      await file.close();
    }
  }

  async #putParts(name: string, size: number, partBytes: number, read: (at: number) => Promise<Buffer>): Promise<void> {
    const begun = await (await this.#send('POST', `${this.#url(name)}?uploads=`)).text();
    const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1];
    if (!uploadId) throw new Error(`${this.#address}: answered the begin of an upload with something else`);
    const upload = `${this.#url(name)}?uploadId=${encodeURIComponent(uploadId)}`;
    try {
      const parts: string[] = [];
      for (let at = 0; at < size; at += partBytes) {
        const number = parts.length + 1;
        const response = await this.#drain(this.#send('PUT', `${upload}&partNumber=${number}`, await read(at)));
        parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${response.headers.get('etag')}</ETag></Part>`);
      }
      const whole = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      const answer = await (await this.#send('POST', upload, whole)).text();
      // This one request can fail with a 200: the error stands in its body.
      if (/<Error>/.test(answer)) throw new Error(`${this.#address}/${name}: ${codeOf(answer)}`);
    } catch (error) {
      // Parts of an upload that nobody ends are paid for.
      await this.#drain(this.#send('DELETE', upload)).catch(() => undefined);
      throw error;
    }
  }

  #url(name: string): string {
    return `${this.#base}/${this.#prefix}${name}`;
  }

  async #drain(sent: Promise<Response>): Promise<Response> {
    const response = await sent;
    await response.arrayBuffer();
    return response;
  }

  /** @throws {ConfigError} when the store refuses (wrong credentials, no such bucket), or still answers 5xx or cannot be reached after the retries */
  async #send(method: string, url: string, body?: Buffer, tolerated: readonly number[] = []): Promise<Response> {
    const sha256 = createHash('sha256')
      .update(body ?? '')
      .digest('hex');
    // Signed with the content: a body that was changed on its way is refused.
    const headers = { 'x-amz-content-sha256': sha256 };
    // Beginning or ending an upload twice is not the same as once.
    const retries = method === 'POST' ? 0 : BROKEN_RETRIES;
    const response = await this.#connected(
      () => this.#client.fetch(url, { method, headers, ...(body && { body: body as never }) }),
      retries,
    );
    if (response.ok || tolerated.includes(response.status)) return response;
    throw new ConfigError(`${this.#address}: ${response.status} ${codeOf(await response.text())}`.trim());
  }

  async #connected(fetched: () => Promise<Response>, retries: number): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await fetched();
      } catch (error) {
        const { message, cause } = error as Error;
        const reason = (cause as Error | undefined)?.message || message;
        if (attempt >= retries) throw new ConfigError(`${this.#address}: cannot be reached: ${reason}`);
        await sleep(RETRY_MS * 2 ** attempt);
      }
    }
  }
}

/** Code of an error of S3, never its text: that repeats what was signed. */
const codeOf = (xml: string): string => /<Code>(\w{1,100})<\/Code>/.exec(xml)?.[1] ?? '';
