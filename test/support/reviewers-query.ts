/** As somebody who reviews a new type is told to ask it. */
export const REVIEWERS_QUERY = `query {
geoNode {
name
primary
achievementUploadRegistries {
nodes {
id
state
verificationState
achievementUploadId
lastSyncedAt
verifiedAt
}
}
}
}`;
