// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import "golang.org/x/sys/unix"

// statNamespace returns the identity of a file, and whether it is a namespace.
func statNamespace(p string) (id namespaceID, isNamespace bool, err error) {
	var file unix.Stat_t
	if err := unix.Stat(p, &file); err != nil {
		return id, false, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(p, &fs); err != nil {
		return id, false, err
	}
	//nolint:unconvert // uint32 on some architectures
	return namespaceID{uint64(file.Dev), file.Ino}, fs.Type == unix.NSFS_MAGIC, nil
}
