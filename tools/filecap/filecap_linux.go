// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package filecap

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// PermitNetAdmin sets the file capability CAP_NET_ADMIN as permitted, not as effective, like
// `setcap cap_net_admin+p`. With an effective capability, the file could not be executed where the
// bounding set lacks it.
func PermitNetAdmin(path string) error {
	// struct vfs_cap_data of include/uapi/linux/capability.h, without VFS_CAP_FLAGS_EFFECTIVE
	const revision2 = 0x02000000 // VFS_CAP_REVISION_2
	var data []byte
	for _, word := range []uint32{revision2, 1 << unix.CAP_NET_ADMIN, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		return fmt.Errorf("set file capability of %s: %w", path, err)
	}
	return nil
}
