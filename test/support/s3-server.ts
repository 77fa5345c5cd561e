import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MIN_PART_BYTES = 5 * 2 ** 20;

/** Refused as S3 does it: a status and a code in XML. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/**
 * The part of S3 that a backup needs, one bucket in memory. It computes Signature Version 4 by itself, from the description of
 * AWS, and refuses what does not agree; also a body that is not the signed one, and a part under 5 MiB that is not the last.
 */
export class S3Server {
  readonly accessKeyId = 'AKIAPLANTEDPLANTED';
  readonly secretAccessKey = 'planted/secret+key';
  readonly bucket = 'backups';
  readonly region = 'eu-north-1';
  readonly objects = new Map<string, Buffer>();
  /** Uploads begun and neither completed nor aborted. */
  readonly uploads = new Map<string, { key: string; parts: Map<number, Buffer> }>();
  /** Answers to come that say 503 instead. */
  busy = 0;
  /** Connections to come that are cut before an answer. */
  cut = 0;
  /** Token that must be signed with, of temporary credentials. */
  sessionToken = '';
  requests = 0;
  parts = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((req, res) => void this.#answer(req, res));
  }

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.requests++;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      if (this.cut > 0) {
        this.cut--;
        req.socket.destroy();
        return;
      }
      const body = Buffer.concat(chunks);
      const url = new URL(req.url!, this.url);
      this.#verify(req, url, body);
      if (this.busy > 0) {
        this.busy--;
        throw new Refusal(503, 'SlowDown');
      }
      this.#perform(req.method!, url, body, res);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      res.writeHead(error.status).end(req.method === 'HEAD' ? '' : `<Error><Code>${error.code}</Code></Error>`);
    }
  }

  #perform(method: string, url: URL, body: Buffer, res: ServerResponse): void {
    const [bucket, ...rest] = url.pathname.slice(1).split('/');
    if (bucket !== this.bucket) throw new Refusal(404, 'NoSuchBucket');
    const key = decodeURIComponent(rest.join('/'));
    const query = url.searchParams;
    if (method === 'GET' && query.get('list-type') === '2') return void res.end(this.#list(query.get('prefix') ?? ''));
    if (method === 'POST' && query.has('uploads')) return void res.end(this.#begin(key));
    const upload = query.get('uploadId');
    if (upload) return void this.#ofUpload(method, upload, Number(query.get('partNumber')), body, res);
    if (method === 'PUT') {
      this.objects.set(key, body);
      return void res.end();
    }
    const object = this.objects.get(key);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    res.writeHead(200, { 'content-length': object.length }).end(method === 'HEAD' ? undefined : object);
  }

  #list(prefix: string): string {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    return `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}</ListBucketResult>`;
  }

  #begin(key: string): string {
    const id = randomUUID();
    this.uploads.set(id, { key, parts: new Map() });
    return `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
  }

  #ofUpload(method: string, id: string, number: number, body: Buffer, res: ServerResponse): void {
    const upload = this.uploads.get(id);
    if (!upload) throw new Refusal(404, 'NoSuchUpload');
    if (method === 'PUT') {
      this.parts++;
      upload.parts.set(number, body);
      return void res.writeHead(200, { etag: etagOf(body) }).end();
    }
    if (method === 'DELETE') {
      this.uploads.delete(id);
      return void res.writeHead(204).end();
    }
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)];
    const parts = named.map(([, part, etag]) => {
      const bytes = upload.parts.get(Number(part));
      if (!bytes || etagOf(bytes) !== etag) throw new Refusal(400, 'InvalidPart');
      return bytes;
    });
    if (parts.slice(0, -1).some((part) => part.length < MIN_PART_BYTES)) throw new Refusal(400, 'EntityTooSmall');
    this.objects.set(upload.key, Buffer.concat(parts));
    this.uploads.delete(id);
    res.end('<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>');
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
  #verify(req: IncomingMessage, url: URL, body: Buffer): void {
    const match =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
        req.headers.authorization ?? '',
      );
    if (!match) throw new Refusal(403, 'AccessDenied');
    const [, keyId, date, region, names, signature] = match;
    if (keyId !== this.accessKeyId) throw new Refusal(403, 'InvalidAccessKeyId');
    if (region !== this.region) throw new Refusal(400, 'AuthorizationHeaderMalformed');
    const signed = names!.split(';');
    for (const name of Object.keys(req.headers)) {
      if ((name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name))
        throw new Refusal(403, 'AccessDenied');
    }
    const hash = String(req.headers['x-amz-content-sha256']);
    if (hash !== createHash('sha256').update(body).digest('hex')) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
    if ((req.headers['x-amz-security-token'] ?? '') !== this.sessionToken) throw new Refusal(400, 'InvalidToken');
    const query = [...url.searchParams]
      .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
      .sort()
      .join('&');
    const path = url.pathname
      .split('/')
      .map((part) => escaped(decodeURIComponent(part)))
      .join('/');
    const headers = signed.map((name) => `${name}:${String(req.headers[name]).trim().replace(/\s+/g, ' ')}\n`).join('');
    const request = [req.method, path, query, headers, names, hash].join('\n');
    const stamp = String(req.headers['x-amz-date']);
    if (!stamp.startsWith(date!)) throw new Refusal(403, 'AccessDenied');
    const scope = `${date}/${region}/s3/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(request).digest('hex')].join('\n');
    let key: Buffer = Buffer.from(`AWS4${this.secretAccessKey}`);
    for (const part of [date!, region!, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
    const wanted = createHmac('sha256', key).update(text).digest();
    if (!timingSafeEqual(wanted, Buffer.from(signature!, 'hex'))) throw new Refusal(403, 'SignatureDoesNotMatch');
  }
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

/** Percent-encoding of RFC 3986: all but letters, digits and -._~ */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
