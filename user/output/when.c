/* SPDX-License-Identifier: BSD-2-Clause */
/* Moments as text. Contract: when.h. */
#include <stdio.h>

#include "output/when.h"

#define NS_PER_S    1000000000u
#define S_PER_DAY   86400u
#define DAYS_IN_ERA 146097u /* 400 years of the Gregorian calendar */

struct date {
	uint64_t year;
	unsigned int month, day;
};

/*
 * Days since 1970-01-01 to a date. Years are counted from March, so that the leap day comes last (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
 */
static struct date date_of(uint64_t days)
{
	uint64_t shifted = days + 719468; /* since 0000-03-01 */
	uint64_t era = shifted / DAYS_IN_ERA;
	unsigned int day_of_era = (unsigned int)(shifted % DAYS_IN_ERA);
	unsigned int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned int month = (5 * day_of_year + 2) / 153; /* 0 is March */

	return (struct date){
		.year = era * 400 + year_of_era + (month >= 10 ? 1 : 0),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};
}

const char *when_rfc3339(uint64_t unix_ns, char buffer[WHEN_BYTES])
{
	uint64_t seconds = unix_ns / NS_PER_S;
	unsigned int of_day = (unsigned int)(seconds % S_PER_DAY);
	struct date date = date_of(seconds / S_PER_DAY);

	snprintf(buffer, WHEN_BYTES, "%04llu-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned long long)date.year,
		 date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60,
		 (unsigned int)(unix_ns % NS_PER_S / 1000));
	return buffer;
}

const char *when_time_of_day(uint64_t unix_ns, char buffer[WHEN_BYTES])
{
	unsigned int of_day = (unsigned int)(unix_ns / NS_PER_S % S_PER_DAY);

	snprintf(buffer, WHEN_BYTES, "%02u:%02u:%02u.%03u", of_day / 3600, of_day / 60 % 60, of_day % 60,
		 (unsigned int)(unix_ns % NS_PER_S / 1000000));
	return buffer;
}
