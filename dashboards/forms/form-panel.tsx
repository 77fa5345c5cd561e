import type { ComponentChildren } from 'preact';

interface FormPanelProps {
  label: string;
  /** False for those who may only read it. */
  editable: boolean;
  actions: ComponentChildren;
  children: ComponentChildren;
}

/** The fields of one thing, with its buttons below. */
export function FormPanel({ label, editable, actions, children }: FormPanelProps) {
  return (
    <section class="panel form" aria-label={label}>
      <fieldset class="form-fields" disabled={!editable}>
        {children}
      </fieldset>
      {editable && <div class="form-actions">{actions}</div>}
    </section>
  );
}
