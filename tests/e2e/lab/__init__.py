# SPDX-License-Identifier: BSD-2-Clause
"""The test lab: a throw-away nginx, its certificates, broken clients and broken backends."""
