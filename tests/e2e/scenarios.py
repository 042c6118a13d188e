# SPDX-License-Identifier: BSD-2-Clause
"""All scenarios, in the order they are run."""
import scenarios_before
import scenarios_http
import scenarios_mtls
import scenarios_quic
import scenarios_stream
import scenarios_upstream

SCENARIOS = (scenarios_http.SCENARIOS + scenarios_before.SCENARIOS + scenarios_mtls.SCENARIOS
             + scenarios_upstream.SCENARIOS + scenarios_stream.SCENARIOS
             + scenarios_quic.SCENARIOS)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
assert len(BY_NAME) == len(SCENARIOS), "scenario names must differ"
