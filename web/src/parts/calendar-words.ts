// What Mantine's calendars look like, and the languages that they speak besides English.
import '@mantine/dates/styles.css'
import 'dayjs/locale/de'
import 'dayjs/locale/es'
import 'dayjs/locale/fr'
import 'dayjs/locale/zh'
