/**
 * What a site is for, and since which change of that. A promotion raises the epoch and changes the role; a restore of the
 * registry from a backup raises the epoch (R38). Whoever began under another epoch lets go before it writes to S3: the soft
 * fence (R27). The hard one is IAM's, since nothing stops a request that is under way.
 */
export const SITE_ROLES = ["primary", "secondary", "promoting"] as const;
export type SiteRoleNow = (typeof SITE_ROLES)[number];

export interface SiteStanding {
  readonly role: SiteRoleNow;
  /** Grows with every change of role and with every restore. */
  readonly epoch: number;
  /** An operator has paused the site (F98): it starts nothing, and keeps what it hears. Absent: no. */
  readonly paused?: true;
}

/** A site that nobody has ever promoted or restored. */
export const FIRST_STANDING: SiteStanding = { role: "secondary", epoch: 0 };

/** Whether an attempt that began in `epoch` may still write. Who began before a pause lets go before the next write. */
export const mayWrite = (now: SiteStanding, epoch: number): boolean =>
  now.role === "secondary" && now.epoch === epoch && now.paused !== true;
