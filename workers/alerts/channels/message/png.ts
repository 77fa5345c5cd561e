import { crc32, deflateSync } from 'node:zlib';

/** A picture of palette colours, one byte per pixel, row by row from the top. */
export interface IndexedImage {
  width: number;
  height: number;
  pixels: Uint8Array;
  /** [red, green, blue], at most 256. */
  palette: readonly (readonly [number, number, number])[];
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BIT_DEPTH = 8;
const COLOUR_TYPE_PALETTE = 3;

/** Encodes a picture as PNG (W3C Portable Network Graphics, third edition): IHDR, PLTE, IDAT, IEND; no filter. */
export function encodePng(image: IndexedImage): Buffer {
  const { width, height, pixels } = image;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([BIT_DEPTH, COLOUR_TYPE_PALETTE, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (width + 1));
  // Each row begins with its filter type, 0 = none.
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const palette = Buffer.from(image.palette.flat());
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
