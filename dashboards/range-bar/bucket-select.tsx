import { BUCKET_NAMES, BUCKETS, type Bucket, type BucketChoice, bucketFits } from '../time/buckets.ts';

interface BucketSelectProps {
  choice: BucketChoice;
  /** What "auto" came to. */
  chosen: Bucket | null;
  /** Of the range, in ms: too fine a bucket for it cannot be picked. */
  length: number;
  onChoice: (choice: BucketChoice) => void;
}

export function BucketSelect({ choice, chosen, length, onChoice }: BucketSelectProps) {
  return (
    <label class="field">
      <span class="sr-only">Bucket</span>
      <select value={choice} onChange={(event) => onChoice(event.currentTarget.value as BucketChoice)}>
        {(['auto', ...BUCKETS] as const).map((option) => (
          <option key={option} value={option} disabled={!bucketFits(option, length)}>
            {option === 'auto' && chosen ? `Auto (${BUCKET_NAMES[chosen].toLowerCase()})` : BUCKET_NAMES[option]}
          </option>
        ))}
      </select>
    </label>
  );
}
