import type { HookAround } from '../../../src/shared/hooks.ts'
import { msg } from '../i18n/i18n.ts'

/** Scripts to begin with. */
export const examples: Record<HookAround, readonly { title: string; script: string }[]> = {
  backup: [
    {
      title: msg('Tell a webhook'),
      script: `curl --fail --silent --show-error --max-time 30 \\
  --data-urlencode "database=$BACKUP_DATABASE_NAME" \\
  --data-urlencode "file=$BACKUP_FILENAME" \\
  --data-urlencode "bytes=$BACKUP_FILE_SIZE" \\
  https://hooks.example.com/backups
`,
    },
    {
      title: msg('One thing for one server, another for the others'),
      script: `case "$BACKUP_SERVER_ID" in
  01980000-0000-7000-8000-000000000001)
    echo "The shop is safe: $BACKUP_FILENAME on $BACKUP_VOLUME_NAME"
    ;;
  *)
    echo "$BACKUP_SERVER_NAME needs nothing else"
    ;;
esac
`,
    },
    { title: msg('See all that there is'), script: 'env | sort\n' },
  ],
  restore: [
    {
      title: msg('Tell people'),
      script: `curl --fail --silent --show-error --max-time 30 \\
  --data-raw "$RESTORE_SOURCE_DATABASE was restored into $RESTORE_DATABASE_NAME on $RESTORE_SERVER_NAME." \\
  https://ntfy.example.com/restores
`,
    },
    { title: msg('See all that there is'), script: 'env | sort\n' },
  ],
}
