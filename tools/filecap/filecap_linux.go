// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package filecap

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// PermitNetAdmin lets who executes the file have CAP_NET_ADMIN permitted, but not in effect, as
// `setcap cap_net_admin+p` does. To have it in effect from the start would make the execution fail where the
// bounding set lacks it.
func PermitNetAdmin(path string) error {
	// struct vfs_cap_data of include/uapi/linux/capability.h, without VFS_CAP_FLAGS_EFFECTIVE
	const revision2 = 0x02000000 // VFS_CAP_REVISION_2
	var data []byte
	for _, word := range []uint32{revision2, 1 << unix.CAP_NET_ADMIN, 0, 0, 0} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		return fmt.Errorf("set the capabilities of file %s: %w", path, err)
	}
	return nil
}
