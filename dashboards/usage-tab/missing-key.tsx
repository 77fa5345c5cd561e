import { HostileText } from '../panels/hostile-text.tsx';

/** Unknown and foreign keys look the same on purpose: nobody learns from here which ids others use. */
export function MissingKey({ keyId }: { keyId: string }) {
  return (
    <section class="panel no-match" role="alert" data-testid="key-missing">
      <h1>No such key here</h1>
      <p>
        <HostileText value={keyId} class="mono" />
      </p>
      <p class="dim">
        Either no request with it was received yet, or it belongs to another organization than your token.
      </p>
    </section>
  );
}
