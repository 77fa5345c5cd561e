import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A log, plain or packed: its unpacked bytes. */
export interface Log {
  /** From the beginning, as often as asked; of the same file, whichever has its name by now. Standard input can be read once. */
  read(): Readable;
  /** First bytes as they lie on the disk. */
  head(bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

const READ_BYTES = 1 << 18;

/** Opens a log, plain or gzip (told by its first bytes), or standard input for `-`. */
export async function openLog(file: string): Promise<Log> {
  if (file === '-') return { read: () => process.stdin, head: async () => Buffer.alloc(0), close: async () => {} };
  const handle = await open(file);
  const head = async (bytes: number) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  };
  const [first, second] = await head(2);
  const isGzip = first === 0x1f && second === 0x8b;
  return {
    // Whoever reads the unpacked bytes is told of an error by them.
    read: () => (isGzip ? pipeline(bytesOf(handle), createGunzip(), () => {}) : Readable.from(bytesOf(handle))),
    head,
    close: () => handle.close(),
  };
}

/** By position, so that several can read; a stream of the file would close it at its end. */
async function* bytesOf(handle: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
