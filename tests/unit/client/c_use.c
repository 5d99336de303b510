/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/c_use.h"

#include "connscope_c.h"

long use_connscope_from_c(const char *path)
{
	const connscope_options options = {path, CONNSCOPE_MANUAL, 0};
	connscope_client *client = connscope_open(&options);
	connscope_metric *counter = connscope_counter(client, "c.requests", "route:/x");
	connscope_metric *gauge = connscope_gauge(client, "c.depth", NULL);
	connscope_metric *timer = connscope_timer(client, "c.wait", NULL);
	connscope_metric *sizes = connscope_measure(client, CONNSCOPE_SIZES, "c.body", NULL);
	long lost = -1;

	if (counter && gauge && timer && sizes) {
		connscope_add(counter, 2);
		connscope_record(counter, 3);
		connscope_set(gauge, -1.5);
		connscope_move(gauge, 1);
		connscope_observe(timer, 0.0025);
		connscope_record(sizes, 4096);
		connscope_flush(client);
		lost = (long)connscope_lost(client);
	}
	connscope_close(client);
	return lost;
}
