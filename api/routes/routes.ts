import type { Route } from '../route.ts';
import { doAction, showAction } from './alert-links.ts';
import { ALERT_RULE_ROUTES } from './alert-rules.ts';
import { ALERT_ROUTES } from './alerts.ts';
import { deleteApiDescription, listApiDescriptions, putApiDescription, unusedEndpoints } from './api-descriptions.ts';
import { getAudit } from './audit.ts';
import { CHANNEL_ROUTES } from './channels.ts';
import { dropDeadLetter, listDeadLetters, replayDeadLetter } from './dead-letters.ts';
import { getDeliveries, replayDelivery, replayFailed } from './deliveries.ts';
import { getDeniedKeys } from './denied.ts';
import { getDoctor } from './doctor.ts';
import { getInvariants } from './invariants.ts';
import { getJobs } from './jobs.ts';
import { importKeys } from './key-import.ts';
import { getKey, getKeys, putKey } from './keys.ts';
import { postLeaks, reportKeyLeak } from './leaks.ts';
import { deactivateKey, deleteKey, keyHistory, reactivateKey, regenerateKey } from './lifecycle.ts';
import { deletePlan, listPlans, putPlan } from './plans.ts';
import { POLICY_ROUTES } from './policies.ts';
import { getRequests } from './requests.ts';
import { endSession, getSession, startSession } from './session.ts';
import { createSilence, endSilence, listSilences } from './silences.ts';
import { getSources } from './sources.ts';
import { getStorage } from './storage.ts';
import { getSystem } from './system.ts';
import { createToken, listTokens, revokeToken, rotateToken } from './tokens.ts';
import { groupedUsage, keyUsage } from './usage.ts';

/** Every JSON route of the API, in the order of the documentation. */
export const ROUTES: readonly Route[] = [
  keyUsage,
  groupedUsage,
  getKeys,
  // Before the routes of one key, which would take the last word of these paths for a key id.
  getDeniedKeys,
  importKeys,
  getKey,
  putKey,
  deactivateKey,
  reactivateKey,
  regenerateKey,
  deleteKey,
  keyHistory,
  reportKeyLeak,
  postLeaks,
  ...POLICY_ROUTES,
  listPlans,
  putPlan,
  deletePlan,
  ...ALERT_ROUTES,
  ...ALERT_RULE_ROUTES,
  getRequests,
  getAudit,
  getSources,
  getJobs,
  getSystem,
  getStorage,
  ...CHANNEL_ROUTES,
  listSilences,
  createSilence,
  endSilence,
  getDeliveries,
  replayFailed,
  replayDelivery,
  showAction,
  doAction,
  listApiDescriptions,
  putApiDescription,
  deleteApiDescription,
  unusedEndpoints,
  listTokens,
  createToken,
  rotateToken,
  revokeToken,
  startSession,
  getSession,
  endSession,
  listDeadLetters,
  replayDeadLetter,
  dropDeadLetter,
  getInvariants,
  getDoctor,
];
