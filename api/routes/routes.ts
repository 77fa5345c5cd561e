import type { Route } from '../route.ts';
import { deleteApiDescription, listApiDescriptions, putApiDescription, unusedEndpoints } from './api-descriptions.ts';
import { getDeniedKeys } from './denied.ts';
import { getDoctor } from './doctor.ts';
import { importKeys } from './key-import.ts';
import { getKey, getKeys, putKey } from './keys.ts';
import { postLeaks, reportKeyLeak } from './leaks.ts';
import { deactivateKey, deleteKey, keyHistory, reactivateKey, regenerateKey } from './lifecycle.ts';
import { deletePlan, listPlans, putPlan } from './plans.ts';
import { POLICY_ROUTES } from './policies.ts';
import { getRequests } from './requests.ts';
import { endSession, getSession, startSession } from './session.ts';
import { createToken, listTokens, revokeToken } from './tokens.ts';
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
  getRequests,
  listApiDescriptions,
  putApiDescription,
  deleteApiDescription,
  unusedEndpoints,
  listTokens,
  createToken,
  revokeToken,
  startSession,
  getSession,
  endSession,
  getDoctor,
];
