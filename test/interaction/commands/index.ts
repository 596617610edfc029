/** The language of the scripts. */
import type { Commands } from '../session.ts';
import { diskCommands } from './disk.ts';
import { nodeCommands } from './nodes.ts';
import { requestCommands } from './requests.ts';
import { trafficCommands } from './traffic.ts';
import { viewCommands } from './views.ts';

export const commands: Commands = { ...nodeCommands, ...requestCommands, ...trafficCommands, ...diskCommands, ...viewCommands };
