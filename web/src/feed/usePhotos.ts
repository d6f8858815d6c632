// The photos of what is being written: picked, made small, kept on this device with the draft, shown, taken out again.
import { onScopeDispose, ref, watch } from "vue";
import { type Photo, PHOTO_COUNT_MAX, shrink } from "./photos";
import { newId } from "@/api/ids";
import { t } from "@/app/i18n";
import { dropPhoto, keepPhoto, recallPhoto } from "@/store/db";

export function usePhotos(draft: { photos: Photo[] }) {
  const urls = ref<Record<string, string>>({});
  const trouble = ref("");
  const isBusy = ref(false);

  watch(() => draft.photos.map((photo) => photo.key), (keys) => void show(keys), { immediate: true });
  onScopeDispose(() => Object.values(urls.value).forEach((url) => URL.revokeObjectURL(url)));

  async function show(keys: string[]): Promise<void> {
    for (const key of keys.filter((one) => !urls.value[one])) {
      const blob = await recallPhoto(key);
      if (blob) urls.value[key] = URL.createObjectURL(blob);
      else draft.photos = draft.photos.filter((photo) => photo.key !== key);
    }
  }

  async function add(files: Iterable<File>): Promise<void> {
    [isBusy.value, trouble.value] = [true, ""];
    for (const file of files) await addOne(file);
    isBusy.value = false;
  }

  async function addOne(file: File): Promise<void> {
    if (draft.photos.length >= PHOTO_COUNT_MAX) {
      trouble.value = t("photos.tooMany", { n: PHOTO_COUNT_MAX });
      return;
    }
    const made = await shrink(file);
    const key = newId();
    if (!made) trouble.value = t("photos.unreadable", { name: file.name });
    else if (!(await keepPhoto(key, made.blob))) trouble.value = t("photos.noRoom");
    else draft.photos = [...draft.photos, { key, width: made.width, height: made.height }];
  }

  async function take(key: string): Promise<void> {
    draft.photos = draft.photos.filter((photo) => photo.key !== key);
    await dropPhoto(key);
  }

  return { urls, trouble, isBusy, add, take };
}
