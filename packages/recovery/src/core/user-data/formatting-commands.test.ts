import { describe, expect, it } from 'vitest';
import { formattingCommands } from './formatting-commands.ts';

describe('a command that can destroy what is on a disk is found', () => {
  it.each([
    ['mkfs /dev/xvdf', 'mkfs /dev/xvdf'],
    ['/usr/sbin/mkfs.xfs -f /dev/nvme1n1', 'mkfs.xfs /dev/nvme1n1'],
    ['mke2fs /dev/sdb', 'mke2fs /dev/sdb'],
    ['newfs_hfs /dev/sdb', 'newfs_hfs /dev/sdb'],
    ['blkdiscard /dev/sdb', 'blkdiscard /dev/sdb'],
    ['vgcreate data /dev/sdb', 'vgcreate /dev/sdb'],
    ['mkswap /dev/sdb', 'mkswap /dev/sdb'],
    ['shred "$DISK"', 'shred'],
    ['parted -s /dev/sdb mklabel gpt', 'parted /dev/sdb'],
    ['parted /dev/sdb print mkpart', 'parted /dev/sdb'],
    ['parted -s /dev/sdb', 'parted /dev/sdb'],
    ['sgdisk -Z /dev/sdb', 'sgdisk /dev/sdb'],
    ['sfdisk /dev/sdb', 'sfdisk /dev/sdb'],
    ['wipefs -fa /dev/sdb', 'wipefs /dev/sdb'],
    ['wipefs --all /dev/sdb', 'wipefs /dev/sdb'],
    ['dd if=/dev/zero of=/dev/sdb', 'dd /dev/sdb'],
    ['dd of=/dev/sdb if=/dev/sda', 'dd /dev/sdb'],
    ['dd if=image of="$disk"', 'dd'],
    ['badblocks -w /dev/sdb', 'badblocks /dev/sdb'],
    ['mdadm -C /dev/md0 -l 1', 'mdadm /dev/md0'],
    ['mdadm --zero-superblock /dev/sdb', 'mdadm /dev/sdb'],
    ['zpool create tank /dev/sdb', 'zpool /dev/sdb'],
    ['cryptsetup luksFormat /dev/sdb', 'cryptsetup /dev/sdb'],
    ['cryptsetup open --type plain /dev/sdb x', 'cryptsetup /dev/sdb'],
    ['nvme format /dev/nvme1n1', 'nvme /dev/nvme1n1'],
    ['hdparm --security-erase x /dev/sdb', 'hdparm /dev/sdb'],
    ['drbdadm create-md r0', 'drbdadm'],
    ['stratis pool create p /dev/sdb', 'stratis /dev/sdb'],
    ['vdo create --device=/dev/sdb', 'vdo /dev/sdb'],
    ['btrfs device add /dev/sdb /data', 'btrfs /dev/sdb'],
    ['ceph-volume lvm zap /dev/sdb', 'ceph-volume /dev/sdb'],
    ['cat image > /dev/xvdf', '> /dev/xvdf'],
    ['zcat image >| /dev/nvme1n1', '> /dev/nvme1n1'],
  ])('%s', (text, found) => {
    expect(formattingCommands(text)).toEqual([found]);
  });

  it('in any place of a text, each once and in order', () => {
    const text =
      'set -e; mkfs /dev/sdb && wipefs -a /dev/sdc\nlsblk | mkfs /dev/sdb & sudo pvcreate \\\n  /dev/sdd || true';
    expect(formattingCommands(text)).toEqual(['mkfs /dev/sdb', 'wipefs /dev/sdc', 'pvcreate /dev/sdd']);
  });

  it('behind blanks, and in a text with the line ends of Windows', () => {
    expect(formattingCommands('echo a\r\n  mkfs \\\r\n/dev/sdb\r\n# mkfs /dev/sdc\r\n')).toEqual(['mkfs /dev/sdb']);
  });

  it('also where a redirection stands in a command that only names a program', () => {
    expect(formattingCommands('grep mkfs notes > /dev/sdb')).toEqual(['> /dev/sdb']);
  });
});

describe('a command that leaves disks as they are is not', () => {
  it.each([
    'mkswap /swapfile',
    'shred -u key.pem',
    'parted -l',
    'parted /dev/sdb print',
    'sgdisk -p /dev/sdb',
    'fdisk -l /dev/sdb',
    'sfdisk -d /dev/sdb',
    'wipefs /dev/sdb',
    'dd if=/dev/sdb of=/backup/image',
    'dd if=/dev/sdb',
    'dd if=/dev/sdb of=/dev/null',
    'badblocks -s /dev/sdb',
    'mdadm --detail /dev/md0',
    'zpool import tank',
    'cryptsetup open /dev/sdb x',
    'nvme list',
    'hdparm -I /dev/sdb',
    'drbdadm up r0',
    'stratis pool list',
    'vdo status',
    'btrfs filesystem show',
    'ceph-volume lvm list',
    'apt-get install -y parted',
    'sudo DEBIAN_FRONTEND=noninteractive apt-get install mkfs.ext4',
    'command -v mkfs.ext4',
    '  # mkfs /dev/sdb',
    'make-x /dev/sdb',
    'echo done > /dev/null 2>&1',
    'ls 2> /dev/sdb.log',
  ])('%s', (text) => {
    expect(formattingCommands(text)).toEqual([]);
  });
});
