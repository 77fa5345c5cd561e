import type { ComponentChildren } from 'preact';

/** Names and values, one per line. */
export function Facts({ title, facts }: { title: string; facts: [name: string, value: ComponentChildren][] }) {
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
      </div>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
