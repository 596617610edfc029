/** Names of topics: what every client, file system and metrics system can carry. */
const allowed = /^[A-Za-z0-9._-]{1,249}$/;

export const topicNameRule = '1 to 249 letters, digits, dots, underscores or hyphens; not "." or ".."';

export function isTopicName(name: string): boolean {
  return allowed.test(name) && name !== '.' && name !== '..';
}
