// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ignore

/*
 * The reference reader: a C program with libnetfilter_log that only parses. It
 * uses the best settings (the largest batches that the kernel accepts, a large
 * socket buffer, one blocking recv per batch), reads the attributes that an
 * exporter needs for its labels and counters, and keeps only totals. On SIGTERM
 * it prints packets, bytes and overruns.
 *
 * The build constraint hides the file from the go tool, which would need cgo.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libnetfilter_log/libnetfilter_log.h>

enum {
	COPY_RANGE = 128,
	BATCH_BYTES = 131072,
	BATCH_PACKETS = 1000,
	SOCKET_BUFFER = 32 << 20,
	/* The kernel rounds a batch of BATCH_BYTES up to nearly twice that. */
	DATAGRAM = 256 << 10,
};

struct totals {
	uint64_t packets, bytes, overruns;
	/* Sums of values that an exporter would need for labels. */
	uint64_t devices, prefixes;
};

static volatile sig_atomic_t terminated;

static void terminate(int signal)
{
	(void)signal;
	terminated = 1;
}

static uint32_t be16(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 8 | u[1];
}

static uint32_t network_length(const char *packet, int copied)
{
	if (copied >= 20 && (unsigned char)packet[0] >> 4 == 4)
		return be16(packet + 2);
	if (copied >= 40 && (unsigned char)packet[0] >> 4 == 6)
		return 40 + be16(packet + 4);
	return 0;
}

static int count(struct nflog_g_handle *group, struct nfgenmsg *header,
		 struct nflog_data *message, void *arg)
{
	struct totals *t = arg;
	const char *prefix = nflog_get_prefix(message);
	char *packet;
	int copied = nflog_get_payload(message, &packet);

	(void)group, (void)header;
	t->packets++;
	if (copied > 0)
		t->bytes += network_length(packet, copied);
	t->devices += nflog_get_indev(message) + nflog_get_outdev(message);
	if (prefix)
		t->prefixes += (unsigned char)prefix[0];
	return 0;
}

static int fail(const char *what)
{
	perror(what);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static char datagram[DATAGRAM];
	struct sigaction on_term = {.sa_handler = terminate};
	struct totals t = {0};
	struct nflog_handle *h;
	struct nflog_g_handle *group;
	int size = SOCKET_BUFFER;

	if (argc != 2) {
		fprintf(stderr, "usage: %s GROUP\n", argv[0]);
		return EXIT_FAILURE;
	}
	/* Without SA_RESTART the signal interrupts a blocking recv. */
	if (sigaction(SIGTERM, &on_term, NULL) < 0)
		return fail("sigaction");
	h = nflog_open();
	if (!h)
		return fail("open nflog");
	/* SO_RCVBUFFORCE exceeds net.core.rmem_max, and needs a capability. */
	if (setsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(nflog_fd(h), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		return fail("set socket buffer");
	group = nflog_bind_group(h, (uint16_t)atoi(argv[1]));
	if (!group)
		return fail("bind group");
	if (nflog_set_mode(group, NFULNL_COPY_PACKET, COPY_RANGE) < 0 ||
	    nflog_set_nlbufsiz(group, BATCH_BYTES) < 0 ||
	    nflog_set_qthresh(group, BATCH_PACKETS) < 0)
		return fail("configure group");
	nflog_callback_register(group, count, &t);

	while (!terminated) {
		ssize_t n = recv(nflog_fd(h), datagram, sizeof(datagram), 0);

		if (n >= 0)
			nflog_handle_packet(h, datagram, (int)n);
		else if (errno == ENOBUFS)
			t.overruns++;
		else if (errno != EINTR)
			return fail("recv");
	}
	printf("%llu %llu %llu\n", (unsigned long long)t.packets,
	       (unsigned long long)t.bytes, (unsigned long long)t.overruns);
	return EXIT_SUCCESS;
}
