import { Link } from '../address/link.tsx';
import { keyPath } from '../address/route.ts';
import { useTitle } from '../address/use-title.ts';
import type { Rights } from './rights.ts';

/** Stands where a page would be that the viewer's token does not reach: asking again would change nothing. */
export function BeyondReach({ refusal, rights: { keyId } }: { refusal: string; rights: Rights }) {
  useTitle('Not for this token');
  return (
    <main class="page">
      <section class="panel no-match" role="alert">
        <h1>This page is not for your token</h1>
        <p>{refusal}</p>
        <p>{keyId ? <Link href={keyPath(keyId)}>Go to your key</Link> : <Link href="/">Go to the overview</Link>}</p>
      </section>
    </main>
  );
}
