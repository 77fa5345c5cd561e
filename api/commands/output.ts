import type { ApiAnswer } from './api-client.ts';

/** Writes to standard output; a reader that has seen enough (`| head`) is no failure. */
export function print(text: string): void {
  if (process.stdout.listenerCount('error') === 0) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? 0 : 1);
    });
  }
  process.stdout.write(text);
}

/** Prints an answer: the api's JSON as it is, or as text for people. */
export function show<Body>(answer: ApiAnswer<Body>, json: boolean | undefined, text: (body: Body) => string): void {
  print(json ? `${answer.text.trimEnd()}\n` : text(answer.body));
}
