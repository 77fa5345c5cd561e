import { CopyButton } from './copy-button.tsx';

interface SecretOnceProps {
  title: string;
  secret: string;
  /** Where it is to be put. */
  hint: string;
  onDone: () => void;
}

/** A secret in the only moment in which it can be read. */
export function SecretOnce({ title, secret, hint, onDone }: SecretOnceProps) {
  return (
    <section class="panel notice secret-once" data-testid="secret-once">
      <div class="grow">
        <h2>{title}</h2>
        <p>{hint} It is shown now and never again.</p>
        <p class="secret">
          <code>{secret}</code>
          <CopyButton text={secret} what={title} />
        </p>
      </div>
      <button type="button" onClick={onDone}>
        I have stored it
      </button>
    </section>
  );
}
