#include <sqlite3.h>

/* Forbids what only hostile SQL does: writing to the schema and to shadow tables. Swift cannot call functions with "...". */
static inline int hub_sqlite_defend(sqlite3 *database) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}
