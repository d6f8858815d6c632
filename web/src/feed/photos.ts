// Photos on their way into a post: made small on this device, so that thirty megabytes never travel.

export const PHOTO_COUNT_MAX = 9;
const SIDE_MAX = 2_048;
const QUALITY = 0.85;

export type Photo = { key: string; width: number; height: number };
export type Shrunk = { blob: Blob; width: number; height: number };

/** As large as may be, in the same proportions; never larger than it was. */
export function fitted(width: number, height: number, side = SIDE_MAX): { width: number; height: number } {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Drawn anew as a JPEG, upright; null where this browser cannot read it. */
export async function shrink(file: Blob): Promise<Shrunk | null> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const size = fitted(picture.width, picture.height);
    const canvas = Object.assign(document.createElement("canvas"), size);
    const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
    // What was transparent is white, not black.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, size.width, size.height);
    pen.drawImage(picture, 0, 0, size.width, size.height);
    picture.close();
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return blob && { blob, ...size };
  } catch {
    return null;
  }
}
