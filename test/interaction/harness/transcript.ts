/** Prints what happens, one line each, as the expected output of a script. */
import type { Happening } from './happening.ts';
import { renderEntries, renderMessage, renderOutgoing, renderSnapshot, renderWrite } from './render.ts';

export interface Transcript {
  lines: string[];
  /** Sent messages that the current command delivers anyway are printed once, when delivered. */
  deliversLater: (happening: Happening & { type: 'sent' }) => boolean;
  /** Writes that reach the disk as soon as they are ordered are printed once. */
  persistsAtOnce: boolean;
  /** So are entries that are applied as soon as they may be. */
  appliesAtOnce: boolean;
}

export const createTranscript = (): Transcript => ({ lines: [], deliversLater: () => false, persistsAtOnce: true, appliesAtOnce: true });

export function transcribe(transcript: Transcript, happening: Happening): void {
  const line = lineOf(transcript, happening);
  if (line !== undefined) transcript.lines.push(line);
}

function lineOf(transcript: Transcript, happening: Happening): string | undefined {
  switch (happening.type) {
    case 'role':
      return `${happening.node} is ${happening.role} t${happening.term}${renderLeader(happening)}`;
    case 'accepted':
      return `${happening.node} accepts${happening.last < happening.first ? '' : ` ${happening.first}..${happening.last}@${happening.term}`}`;
    case 'refused':
      return `${happening.node} refuses: ${happening.refusal}`;
    case 'write':
      return `${happening.node} writes #${happening.write.token} ${renderWrite(happening.write)}`;
    case 'persisted':
      return transcript.persistsAtOnce ? undefined : `${happening.node} has #${happening.token} on disk`;
    case 'held':
      return `${happening.node} holds until #${happening.token}: ${renderOutgoing(happening.message)}`;
    case 'sent':
      if (!happening.lost && transcript.deliversLater(happening)) return undefined;
      return `${happening.message.from} sends ${renderMessage(happening.message)}${happening.lost ? ' (lost)' : ''}`;
    case 'delivered':
      return `> ${renderMessage(happening.message)}`;
    default:
      return rareLineOf(transcript, happening);
  }
}

function rareLineOf(transcript: Transcript, happening: Happening): string | undefined {
  switch (happening.type) {
    case 'unsendable':
      return `${happening.message.from} cannot send ${renderOutgoing(happening.message)}`;
    case 'undeliverable':
      return `> ${renderMessage(happening.message)} (lost: ${happening.message.to} is down)`;
    case 'committed':
      return `${happening.node} may apply ${happening.first}..${happening.last}`;
    case 'applied':
      return transcript.appliesAtOnce ? undefined : `${happening.node} applies ${renderEntries(happening.entries)}`;
    case 'installed':
      return `${happening.node} restores ${renderSnapshot(happening.snapshot)}`;
    case 'read':
      return `${happening.node} may serve read ${happening.context} at ${happening.index}`;
    case 'read-refused':
      return `${happening.node} refuses read ${happening.context}: ${happening.refusal}`;
    case 'crashed':
      return `${happening.node} crashes, ${happening.lostWrites} writes lost`;
    case 'restarted':
      return `${happening.node} restarts`;
    case 'broken':
      return `${happening.node} STOPS: ${happening.reason}`;
    default:
      return undefined;
  }
}

const renderLeader = ({ role, leader }: { readonly role: string; readonly leader: number }): string =>
  role !== 'follower' ? '' : ` of ${leader === 0 ? 'nobody' : leader}`;
