import { Capabilities, ConsensusType } from '#formats';
import type { ConfigGroup } from '#formats';
import { editMsp, groupAt } from './test-channel.ts';
import { groupOfNewcomer, org4 } from './update-setting.ts';
import { valueOf, newValue } from './good-updates.ts';
import type { BadUpdate } from './bad-updates.ts';

export type Edit = (channel: ConfigGroup) => void;

export const set =
  (path: string, name: string, value: Uint8Array): Edit =>
  (channel) =>
    void (valueOf(path === '' ? channel : groupAt(channel, path), name).value = value);

export const add =
  (path: string, name: string, value: Uint8Array): Edit =>
  (channel) =>
    void (path === '' ? channel : groupAt(channel, path)).values.set(name, newValue(value));

export const remove =
  (path: string, name: string): Edit =>
  (channel) => {
    const group = path === '' ? channel : groupAt(channel, path);
    for (const members of [group.groups, group.values, group.policies]) members.delete(name);
  };

export const policy =
  (type: number, value: Uint8Array): Edit =>
  (channel) =>
    void (groupAt(channel, 'Application').policies.get('Readers')!.policy = { type, value });

export const consensus =
  (parts: Parameters<typeof ConsensusType.encode>[0]): Edit =>
  (channel) => {
    const value = valueOf(groupAt(channel, 'Orderer'), 'ConsensusType');
    value.value = ConsensusType.encode({ ...ConsensusType.decode(value.value), ...parts });
  };

export const capabilities = (...names: string[]) =>
  Capabilities.encode({ capabilities: new Map(names.map((name) => [name, {}])) });

export const newcomer =
  (edit: Edit): Edit =>
  (channel) => {
    const group = groupOfNewcomer(org4);
    edit(group);
    groupAt(channel, 'Application').groups.set('Org4', group);
  };

export const msp =
  (path: string, edit: Parameters<typeof editMsp>[1]): Edit =>
  (channel) =>
    editMsp(groupAt(channel, path), edit);

/** An update that everybody signed. @param code without the folder's name. */
export const editedUpdate = (code: string, title: string, edit: Edit): BadUpdate => ({
  code: `POLICY_${code}`,
  title,
  parts: { edit },
});
