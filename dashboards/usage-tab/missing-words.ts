import type { ProblemError } from '../http/problem.ts';

export interface MissingWords {
  why: string;
  /** False where asking again would be answered the same. */
  retry: boolean;
}

const ADVICE: Record<string, string> = {
  bucket: 'Counts that fine are not kept for so long: choose a longer bucket.',
  from: 'A filter needs single requests, which are not kept for so long: drop the filter, or choose a shorter range.',
};

/** Why an earlier period cannot be shown, and what to do. */
export function missingWords({ status, message, detail, field }: ProblemError): MissingWords {
  if (status === 400) return { why: ADVICE[field] ?? (detail || message), retry: false };
  return { why: [message, detail].filter(Boolean).join('. '), retry: status !== 403 };
}
