import { render } from 'preact';
import type { ProblemError } from '../http/problem.ts';
import { embedStyles } from './embed-styles.ts';
import { EmbeddedUsage } from './embedded-usage.tsx';

const ATTRIBUTES = ['key-id', 'token', 'api', 'range', 'timezone'] as const;

/**
 * `<keytally-usage key-id token api range timezone theme>`: the usage tab of one key, inside any page.
 * A changed attribute is followed at once; a new `token` brings a refused element back to life.
 */
class KeytallyUsage extends HTMLElement {
  static readonly observedAttributes = ATTRIBUTES;

  readonly #root = this.attachShadow({ mode: 'open' });
  #waiting = false;

  connectedCallback(): void {
    this.#root.adoptedStyleSheets = [embedStyles()];
    this.#draw();
  }

  disconnectedCallback(): void {
    // A framework that moves the element takes it out and puts it back: only the second look tells.
    queueMicrotask(() => this.isConnected || render(null, this.#root));
  }

  attributeChangedCallback(): void {
    // Several attributes set in a row are one change.
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw(): void {
    const read = (name: (typeof ATTRIBUTES)[number]) => this.getAttribute(name) ?? '';
    render(
      <EmbeddedUsage
        keyId={read('key-id')}
        token={read('token')}
        api={read('api')}
        range={read('range')}
        timezone={read('timezone')}
        onTokenRefused={this.#onTokenRefused}
      />,
      this.#root,
    );
  }

  readonly #onTokenRefused = (problem: ProblemError): void => {
    const detail = { status: problem.status, message: problem.detail || problem.message };
    this.dispatchEvent(new CustomEvent('keytally-token-refused', { detail, bubbles: true, composed: true }));
  };
}

// A page may load the script twice.
if (!customElements.get('keytally-usage')) customElements.define('keytally-usage', KeytallyUsage);
