/** Why an alert is over: pure. Only a recovery says that all is well again. */
export type EndReason = 'recovered' | 'inactive' | 'rule_off' | 'no_limit' | 'window_over' | 'unheard';

/** Ends the sentence "The alert is over: …". */
const IN_WORDS: Readonly<Record<Exclude<EndReason, 'recovered'>, string>> = {
  inactive: 'the key is not active any more',
  rule_off: 'its rule does not ask for it any more',
  no_limit: 'there is no such limit any more',
  window_over: 'the count has started anew',
  unheard: 'for a day too little was known to judge it',
};

/** Undefined for a recovery, and for rows of an older version, which do not say why. */
export function endReasonInWords(ended: string | undefined): string | undefined {
  return ended !== undefined && Object.hasOwn(IN_WORDS, ended) ? IN_WORDS[ended as keyof typeof IN_WORDS] : undefined;
}
